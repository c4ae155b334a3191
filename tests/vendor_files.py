"""Small files of containers that MNE or we read, written from their layouts: what recorders write, in miniature.

Each writer takes microvolts of the 19 electrodes, puts a note where the container has a place for it, and says how
large a step of its numbers is.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from brainscan.electrodes import ELECTRODES

START = datetime(2024, 5, 3, 22, 0, 0)
NOTE_S = 7.0
NOTE = "seizure"
RATE_HZ = 200
STEP_UV = 0.25
"""Of the containers whose header says how large a step of its numbers is."""

FloatArray = NDArray[np.float64]
Written = tuple[Path, float]
"""The file to read, and the step of its numbers in µV."""
Writer = Callable[[Path, FloatArray], Written]

_EXIMIA = (
    "Fp1 Fpz Fp2 AF1 AFz AF2 F7 F3 F1 Fz F2 F4 F8 FT9 FT7 FC5 FC3 FC1 FCz FC2 FC4 FC6 FT8 FT10 T7 C5 C3 C1 Cz C2 C4"
    " C6 T8 TP9 TP7 CP5 CP3 CP1 CPz CP2 CP4 CP6 TP8 TP10 P9 P7 P3 P1 Pz P2 P4 P8 P10 PO3 POz PO4 O1 Oz O2 Iz"
)
_NK_VERSION = b"EEG-1100C V01.00"
_NK_NAMES = "FP1 FP2 F3 F4 C3 C4 P3 P4 O1 O2 F7 F8 T3 T4 T5 T6 FZ CZ PZ"
NK_ROWS = {name: row for row, name in enumerate(_NK_NAMES.split())}
NK_STEP_UV = 6400 / 65536


def nihon_kohden(
    folder: Path, uv: FloatArray, gaps_s: Sequence[float] = (), names: str = "night.21E", version: bytes = _NK_VERSION
) -> Written:
    """Write an EEG-1100 recording: one block, or as many as there are gaps and one."""
    parts = np.array_split(uv, len(gaps_s) + 1, axis=1)
    blocks, starts, at_s, address = [], [], 0.0, 0x1800
    for part, gap_s in zip(parts, [*gaps_s, 0.0], strict=True):
        head = bytearray(0x27)
        head[:17] = b"\x01TIME" + (START + timedelta(seconds=at_s)).strftime("%H%M%S").encode() + b"000000"
        head[0x14:0x1A] = bytes.fromhex((START + timedelta(seconds=at_s)).strftime("%y%m%d%H%M%S"))
        struct.pack_into("<HI", head, 0x1A, RATE_HZ | 0xC000, 0)
        struct.pack_into("<I", head, 0x1C, part.shape[1] * 10 // RATE_HZ)
        head[0x26] = len(part)
        table = b"".join(bytes([NK_ROWS[name.upper()], *bytes(9)]) for name in ELECTRODES)
        words = np.zeros((part.shape[1], len(part) + 1), "<u2")
        words[:, :-1] = (np.round(part.T / NK_STEP_UV).astype(np.int64) + 0x8000).astype("<u2")
        blocks.append(bytes(head) + table + words.tobytes())
        starts.append(address)
        address += len(blocks[-1])
        at_s += part.shape[1] / RATE_HZ + gap_s
    data = bytearray(0x1800)
    data[:16], data[0x81:0x91], data[0x91], data[0x17FE] = version, version, 1, 1
    struct.pack_into("<I", data, 0x92, 0x400)
    data[0x400:0x411], data[0x411] = b"\x01" + version, len(blocks)
    for i, start in enumerate(starts):
        struct.pack_into("<I", data, 0x412 + i * 20, start)
    path = folder / "night.EEG"
    path.write_bytes(bytes(data) + b"".join(blocks))
    electrodes = "".join(f"{row:04d}={name}\r\n" for name, row in NK_ROWS.items())
    (folder / names).write_bytes(b"[ELECTRODE]\r\n" + electrodes.encode() + b"[SD_DEF]\r\n0000=x\r\n")
    patient = bytearray(0x100)
    patient[:16], patient[0x40:0x4E] = version, START.strftime("%Y%m%d%H%M%S").encode()
    (folder / "night.PNT").write_bytes(patient)
    log = bytearray(0x400)
    log[:16], log[0x91] = version, 1
    struct.pack_into("<I", log, 0x92, 0x400)
    seconds = int(NOTE_S)
    stamp = f"{seconds // 3600:02d}{seconds // 60 % 60:02d}{seconds % 60:02d}"
    clock = (START + timedelta(seconds=seconds)).strftime("(%y%m%d%H%M%S)")
    entry = NOTE.encode().ljust(20, b"\0") + (stamp + clock).encode() + bytes(5)
    (folder / "night.LOG").write_bytes(bytes(log) + b"\x01" + version + b"\0\x01\0" + entry)
    return path, NK_STEP_UV


def persyst(
    folder: Path, uv: FloatArray, times: Mapping[int, float] | None = None, patient: str | None = None
) -> Written:
    """Write a .lay with its .dat: 32-bit numbers, interleaved."""
    step_uv = STEP_UV
    np.round(uv.T / step_uv).astype("<i4").tofile(folder / "night.dat")
    channels = "".join(f"{name}-Ref={i}\n" for i, name in enumerate(ELECTRODES, start=1))
    own = f"Sex=\nHand=\nBirthDate=01/02/80\nTestDate={START:%Y.%m.%d}\nTestTime={START:%H:%M:%S}\n"
    clock = "".join(f"{sample}={second}\n" for sample, second in (times or {0: 79200.0}).items())
    (folder / "night.lay").write_text(
        f"[FileInfo]\nFile=night.dat\nFileType=Interleaved\nSamplingRate={RATE_HZ}\nHeaderLength=0\n"
        f"Calibration={step_uv}\nWaveformCount={len(uv)}\nDataType=7\n[Patient]\n{own if patient is None else patient}"
        f"[SampleTimes]\n{clock}[ChannelMap]\n{channels}[Comments]\n{NOTE_S},2.0,0,0,{NOTE}\n",
        encoding="utf-8",
    )
    return folder / "night.lay", step_uv


def nicolet(folder: Path, uv: FloatArray) -> Written:
    """Write a .head with its .data: 16-bit numbers, interleaved."""
    step_uv = STEP_UV
    np.round(uv.T / step_uv).astype("<i2").tofile(folder / "night.data")
    (folder / "night.head").write_text(
        f"start_ts={START:%Y-%m-%d %H:%M:%S}.000\nnum_samples={uv.shape[1]}\nsample_freq={RATE_HZ}\n"
        f"conversion_factor={step_uv}\nnum_channels={len(uv)}\nelec_names=[{','.join(ELECTRODES)}]\n"
        "pat_id=1\nadm_id=1\nrec_id=1\nduration_in_sec=1\nsample_bytes=2\n",
        encoding="utf-8",
    )
    return folder / "night.head", step_uv


def egi_raw(folder: Path, uv: FloatArray) -> Written:
    """Write a simple binary file of EGI: single precision, with one track of events."""
    events = np.zeros((1, uv.shape[1]))
    events[0, round(NOTE_S * RATE_HZ)] = 1
    s = START
    head = struct.pack(">i6hi", 4, s.year, s.month, s.day, s.hour, s.minute, s.second, 0)
    head += struct.pack(">5hih4s", RATE_HZ, len(uv), 1, 0, 0, uv.shape[1], 1, b"SEIZ")
    path = folder / "night.raw"
    path.write_bytes(head + np.vstack((uv, events)).T.astype(">f4").tobytes())
    return path, 1e-3


def egi_mff(folder: Path, uv: FloatArray, gap_s: float = 3.0) -> Written:
    """Write a folder of EGI in two epochs, a pause between them."""
    from mffpy.writer import BinWriter, Writer

    signal = BinWriter(sampling_rate=RATE_HZ)
    net = np.zeros((33, uv.shape[1]), np.float32)  # 32 and the vertex, which is the reference
    net[: len(uv)] = uv
    first, second = np.array_split(net, 2, axis=1)
    signal.add_block(np.ascontiguousarray(first))
    signal.add_block(np.ascontiguousarray(second), offset_us=round(gap_s * 1e6))
    path = folder / "night.mff"
    writer = Writer(str(path))
    writer.addxml("fileInfo", recordTime=START.replace(tzinfo=UTC), mffVersion="3")
    writer.add_coordinates_and_sensor_layout("HydroCel GSN 32 1.0")
    writer.addbin(signal)
    writer.write()
    return path, 1e-3


def neuroscan(
    folder: Path,
    uv: FloatArray,
    width: int = 4,
    n_samples: int | None = None,
    block: int = 1,
    stated: int = 1,
) -> Written:
    """Write a .cnt of Neuroscan with one event; 0 samples are what recorders state that were switched off.

    Each channel's samples lie in blocks of so many; the header may state others.
    """
    step_uv = STEP_UV
    n_channels, n = uv.shape
    head = bytearray(900)
    head[:11] = b"Version 3.0"
    head[225:235], head[235:247] = START.strftime("%m/%d/%y").encode().ljust(10, b"\0"), b"22:00:00".ljust(12, b"\0")
    struct.pack_into("<H", head, 370, n_channels)
    struct.pack_into("<H", head, 376, RATE_HZ)
    struct.pack_into("<i", head, 864, n if n_samples is None else n_samples)
    struct.pack_into("<i", head, 886, 900 + 75 * n_channels + n * n_channels * width)
    struct.pack_into("<i", head, 894, width * stated)
    channels = b""
    for i, name in enumerate(ELECTRODES):
        channel = bytearray(75)
        struct.pack_into("<ff", channel, 19, float(i % 5), float(i // 5))  # where it lies on the screen
        channel[:10] = name.encode().ljust(10, b"\0")
        struct.pack_into("<f", channel, 59, 1.0)  # sensitivity
        struct.pack_into("<f", channel, 71, step_uv * 204.8)
        channels += channel
    blocks = np.round(uv / step_uv).astype(f"<i{width}").reshape(n_channels, -1, block)
    numbers = blocks.transpose(1, 0, 2).tobytes()
    # MNE, like EEGLAB, takes the event for the sample before the one that its offset names.
    offset = 900 + 75 * n_channels + (round(NOTE_S * RATE_HZ) + 1) * n_channels * width
    table = struct.pack("<Bll", 1, 8, 0) + struct.pack("<HBcl", 9, 0, b"\0", offset)
    path = folder / "night.cnt"
    path.write_bytes(bytes(head) + channels + numbers + table)
    return path, step_uv


def gdf(folder: Path, uv: FloatArray) -> Written:
    """Write GDF 1.25: 16-bit numbers in records of a second, and a table of events."""
    n, step_uv = len(uv), STEP_UV
    n_records = uv.shape[1] // RATE_HZ
    head = b"GDF 1.25" + b"X X".ljust(80) + b"X".ljust(80) + START.strftime("%Y%m%d%H%M%S00").encode()
    head += struct.pack("<q", 256 * (n + 1)) + bytes(44) + struct.pack("<qIII", n_records, 1, 1, n)
    limit = 32767.0
    head += b"".join(name.encode().ljust(16) for name in ELECTRODES) + b" " * 80 * n + b"uV".ljust(8) * n
    head += struct.pack(f"<{n}d", *[-limit * step_uv] * n) + struct.pack(f"<{n}d", *[limit * step_uv] * n)
    head += struct.pack(f"<{n}q", *[-32767] * n) + struct.pack(f"<{n}q", *[32767] * n)
    head += b" " * 80 * n + struct.pack(f"<{n}i", *[RATE_HZ] * n) + struct.pack(f"<{n}i", *[3] * n) + bytes(32 * n)
    numbers = np.round(uv[:, : n_records * RATE_HZ] / step_uv).astype("<i2")
    data = np.ascontiguousarray(numbers.reshape(n, n_records, RATE_HZ).transpose(1, 0, 2)).tobytes()
    events = bytes([1]) + RATE_HZ.to_bytes(3, "little") + struct.pack("<I", 1)
    events += struct.pack("<I", round(NOTE_S * RATE_HZ) + 1) + struct.pack("<H", 0x0300)
    path = folder / "night.gdf"
    path.write_bytes(head + data + events)
    return path, step_uv


def nedf(folder: Path, uv: FloatArray, lost: int = 0) -> Written:
    """Write a file of Neuroelectrics: frames of acceleration and five samples of 24 bits, each with a trigger."""
    step_uv = 2.4e6 / (6 * 8388607)
    montage = "".join(f"<Channel{i}>{name}</Channel{i}>" for i, name in enumerate(ELECTRODES, start=1))
    start_ms = round((START - datetime(1970, 1, 1)).total_seconds() * 1000)
    xml = (
        f"<nedf><NEDFversion>1.4</NEDFversion><StepDetails><StartDate_firstEEGTimestamp>{start_ms}"
        "</StartDate_firstEEGTimestamp></StepDetails>"
        "<NumberOfChannelsOfAccelerometer>3</NumberOfChannelsOfAccelerometer><EEGSettings>"
        f"<TotalNumberOfChannels>{len(uv)}</TotalNumberOfChannels><EEGSamplingRate>{RATE_HZ}</EEGSamplingRate>"
        f"<NumberOfPacketsLost>{lost}</NumberOfPacketsLost>"
        f"<NumberOfRecordsOfEEG>{uv.shape[1]}</NumberOfRecordsOfEEG><EEGMontage>{montage}</EEGMontage></EEGSettings></nedf>"
    )
    numbers = np.round(uv.T / step_uv).astype(np.int64) & 0xFFFFFF
    triplets = np.stack([(numbers >> shift) & 0xFF for shift in (16, 8, 0)], axis=-1).astype("u1")
    samples = np.concatenate((triplets.reshape(len(numbers), -1), np.zeros((len(numbers), 4), "u1")), axis=1)
    frames = np.concatenate((np.zeros((len(numbers) // 5, 6), "u1"), samples.reshape(len(numbers) // 5, -1)), axis=1)
    path = folder / "night.nedf"
    path.write_bytes(xml.encode().ljust(10240, b"\0") + frames.tobytes())
    return path, step_uv


def curry(folder: Path, uv: FloatArray) -> Written:
    """Write Curry 8: single precision, its parameters and events beside it."""
    s, n = START, len(uv)
    facts = {
        "DataByteOrder": "INTEL", "DataSampOrder": "SAMP", "AmplifierInfo": "", "FileVersion": 800, "DataFormat": 6,
        "NumSamples": uv.shape[1], "NumTrials": 1, "NumChannels": n, "StartYear": s.year, "StartMonth": s.month,
        "StartDay": s.day, "StartHour": s.hour, "StartMin": s.minute, "StartSec": s.second, "StartMillisec": 0,
        "SampleTimeUsec": round(1e6 / RATE_HZ), "SampleFreqHz": RATE_HZ, "TriggerOffsetUsec": 0,
    }  # fmt: skip
    lines = ["DATA_PARAMETERS START", *(f"   {key:21}= {value}" for key, value in facts.items()), "DATA_PARAMETERS END"]
    lines += ["", "DEVICE_PARAMETERS START", "   DataUnit             = uV", f"   NumChanThisGroup     =  {n}"]
    lines += ["DEVICE_PARAMETERS END", ""]
    lines += _curry_list("LABELS", ELECTRODES) + _curry_list("SENSORS", [f"  {i}\t 0\t 100" for i in range(n)])
    (folder / "night.cdt.dpa").write_text("\n".join(lines), encoding="utf-8")
    at = round(NOTE_S * RATE_HZ)
    rows = _curry_list("NUMBER_LIST", [f"  {at}\t 0\t 9\t-1\t {at}\t {at}\t 0\t 0\t 0\t 0\t 0"])
    (folder / "night.cdt.cef").write_text("\n".join(rows + _curry_list("REMARK_LIST", [NOTE])), encoding="utf-8")
    uv.T.astype("<f4").tofile(folder / "night.cdt")
    return folder / "night.cdt", 1e-3


def _curry_list(name: str, rows: Sequence[str]) -> list[str]:
    head = [f"{name} START", f"   ListNrRows           =  {len(rows)}", f"{name} END", ""]
    return [*head, f"{name} START_LIST\t# Do not edit!", *rows, f"{name} END_LIST", ""]


def bci2000(folder: Path, uv: FloatArray, names: bool = True) -> Written:
    """Write a .dat of BCI2000: 16-bit numbers with an offset and a gain, and a byte of state behind each sample."""
    step_uv, offset, n = STEP_UV, 10, len(uv)
    named = f"{n} {' '.join(ELECTRODES)}" if names else "0"
    body = (
        "[ State Vector Definition ] \r\nRunning 1 0 0 0\r\n[ Parameter Definition ] \r\n"
        f"Source list ChannelNames= {named} // names\r\n"
        f"Source floatlist SourceChGain= {n} {' '.join([f'{step_uv}muV'] * n)} // gain\r\n"
        f"Source intlist SourceChOffset= {n} {' '.join([str(offset)] * n)} // offset\r\n"
        f"Source int SamplingRate= {RATE_HZ}Hz 256Hz 1 % // rate\r\n"
        f"Storage string StorageTime= {START:%Y-%m-%dT%H:%M:%S} // start\r\n\r\n"
    )
    line = "BCI2000V= 1.1 HeaderLen= {:5d} SourceCh= {} StatevectorLen= 1 DataFormat= int16\r\n"
    length = len(line.format(0, n)) + len(body)
    numbers = np.ascontiguousarray(np.round(uv.T / step_uv) + offset).astype("<i2", order="C")
    frames = np.concatenate((numbers.view("u1").reshape(len(numbers), -1), np.ones((len(numbers), 1), "u1")), axis=1)
    path = folder / "night.dat"
    path.write_bytes((line.format(length, n) + body).encode() + frames.tobytes())
    return path, step_uv


def eximia(folder: Path, uv: FloatArray) -> Written:
    """Write a .nxe of eXimia, whose 64 channels and 1450 Hz are fixed; what is given fills the first part."""
    step_uv = 0.07629510948348212
    names = _EXIMIA.split()
    aliases = {"T3": "T7", "T4": "T8", "T5": "P7", "T6": "P8"}
    numbers = np.zeros((uv.shape[1], 64), "<i2")
    for row, name in zip(uv, ELECTRODES, strict=True):
        numbers[:, 4 + names.index(aliases.get(name, name))] = np.round(row / step_uv)
    path = folder / "night.nxe"
    path.write_bytes(numbers.tobytes())
    return path, step_uv


def eeglab(folder: Path, uv: FloatArray) -> Written:
    """Write a .set of EEGLAB with its .fdt."""
    from scipy.io import savemat

    places = np.zeros(len(ELECTRODES), dtype=[(name, object) for name in ("labels", "X", "Y", "Z")])
    for i, name in enumerate(ELECTRODES):
        places[i] = (name, 0.0, 0.0, 1.0)
    events = np.zeros(1, dtype=[("type", object), ("latency", object), ("duration", object)])
    events[0] = (NOTE, NOTE_S * RATE_HZ + 1.0, 0.0)
    empty = np.zeros((0, 0))
    facts = {
        "setname": "night", "filename": "night.set", "nbchan": float(len(uv)), "trials": 1.0,
        "pnts": float(uv.shape[1]),
        "srate": float(RATE_HZ), "xmin": 0.0, "xmax": (uv.shape[1] - 1) / RATE_HZ, "data": "night.fdt",
        "datfile": "night.fdt", "chanlocs": places, "event": events, "epoch": empty, "icawinv": empty,
        "chaninfo": {"nosedir": "+X"},
    }  # fmt: skip
    savemat(folder / "night.set", {"EEG": facts}, appendmat=False)
    uv.T.astype("<f4").tofile(folder / "night.fdt")
    return folder / "night.set", 1e-3


def eeglab_hdf5(folder: Path, uv: FloatArray) -> Written:
    """Write a .set of EEGLAB as MATLAB writes it from version 7.3 on: HDF5 behind a header of MATLAB's own."""
    import h5py

    path = folder / "night.set"
    facts = {"nbchan": len(uv), "trials": 1, "pnts": uv.shape[1], "srate": RATE_HZ, "xmin": 0.0}
    with h5py.File(path, "w", userblock_size=512) as file:
        eeg = file.create_group("EEG")
        arrays = {name: np.array([[float(value)]]) for name, value in facts.items()}
        arrays["xmax"] = np.array([[(uv.shape[1] - 1) / RATE_HZ]])
        for name, values in {**arrays, "data": uv.T.astype("<f4")}.items():
            eeg.create_dataset(name, data=values).attrs["MATLAB_class"] = np.bytes_("double")
        for name in ("event", "epoch", "icawinv"):
            nothing = eeg.create_dataset(name, data=np.zeros(2, "<u8"))
            nothing.attrs["MATLAB_class"], nothing.attrs["MATLAB_empty"] = np.bytes_("double"), np.uint8(1)
        labels = []
        for i, label in enumerate(ELECTRODES):
            letters = file.create_dataset(f"#refs#/{i}", data=np.array([[ord(letter)] for letter in label], "<u2"))
            letters.attrs["MATLAB_class"] = np.bytes_("char")
            labels.append([letters.ref])
        eeg.create_dataset("chanlocs/labels", data=np.array(labels, dtype=h5py.ref_dtype))
    with path.open("r+b") as stream:
        stream.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")
    return path, 1e-3


WRITERS: Mapping[str, Writer] = MappingProxyType(
    {
        "Nihon Kohden": nihon_kohden,
        "Persyst": persyst,
        "Nicolet .data": nicolet,
        "EGI RAW": egi_raw,
        "EGI MFF": egi_mff,
        "Neuroscan": neuroscan,
        "GDF": gdf,
        "Neuroelectrics": nedf,
        "Curry": curry,
        "BCI2000": bci2000,
        "EEGLAB": eeglab,
    }
)
"""By the name of the container's row."""
