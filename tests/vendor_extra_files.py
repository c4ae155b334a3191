"""Small files of the containers that the extra `vendor` opens, written from their layouts."""

import struct
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import numpy as np

from tests import vendor_files
from tests.vendor_files import (
    ELECTRODES,
    NK_ROWS,
    NOTE,
    NOTE_S,
    RATE_HZ,
    START,
    FloatArray,
    Writer,
    Written,
    nihon_kohden,
)


def nihon_kohden_1200(folder: Path, uv: FloatArray, gaps_s: Sequence[float] = ()) -> Written:
    """Write an EEG-1200A recording: a stub of the older layout, the samples in blocks behind it."""
    version = b"EEG-1200A V01.00"
    path, step_uv = nihon_kohden(folder, uv[:, : RATE_HZ // 10], version=version)
    data = bytearray(path.read_bytes())
    at, n = len(data), len(uv)
    parts = np.array_split(uv, len(gaps_s) + 1, axis=1)
    extension = bytearray(0x40)
    extension[1:17], extension[0x11] = version, 1
    control_at = at + len(extension)
    struct.pack_into("<I", extension, 0x12, control_at)
    control = bytearray(0x14 + 24 * len(parts))
    struct.pack_into("<H", control, 0x11, len(parts))
    block_at, blocks, at_s = control_at + len(control), b"", 0.0
    for i, (part, gap_s) in enumerate(zip(parts, [*gaps_s, 0.0], strict=True)):
        struct.pack_into("<Q", control, 0x14 + 24 * i, block_at + len(blocks))
        head = bytearray(0x48)
        start = START + timedelta(seconds=at_s)
        head[:17], head[0x14:0x28] = (
            b"\x01TIME" + start.strftime("%H%M%S000000").encode(),
            (start.strftime("%Y%m%d%H%M%S000000").encode()),
        )
        struct.pack_into("<II", head, 0x28, RATE_HZ, part.shape[1] * 10 // RATE_HZ)
        struct.pack_into("<I", head, 0x44, n)
        table = b"".join(bytes([NK_ROWS[name.upper()], *bytes(9)]) for name in ELECTRODES)
        words = np.zeros((part.shape[1], n + 1), "<u2")
        words[:, :-1] = (np.round(part.T / step_uv).astype(np.int64) + 0x8000).astype("<u2")
        blocks += bytes(head) + table + words.tobytes()
        at_s += part.shape[1] / RATE_HZ + gap_s
    path.write_bytes(bytes(data) + bytes(extension) + bytes(control) + blocks)
    return path, step_uv


def micromed(folder: Path, uv: FloatArray, gap_s: float = 0.0, name: str = "night.TRC", file_type: int = 4) -> Written:
    """Write a .TRC of System 98 (type 4), or a .vwr: 16-bit numbers, interleaved, with notes and cuts."""
    step_uv, n = vendor_files.STEP_UV, len(uv)
    areas = {"ORDER": 512, "LABCOD": 640 * 128, "NOTE": 1000 * 44, "FLAGS": 800, "TRONCA": 100 * 8, "IMPED_B": 16}
    areas |= {"IMPED_E": 16, "MONTAGE": 16, "COMPRESS": 16, "AVERAGE": 16, "HISTORY": 16, "DVIDEO": 16}
    areas |= {"EVENT A": 16, "EVENT B": 16, "TRIGGER": 6}
    head, at = bytearray(640), 640
    places = {}
    for slot, (area, size) in enumerate(areas.items()):
        struct.pack_into("<8sII", head, 176 + 16 * slot, area.encode().ljust(8), at, size)
        places[area] = at
        at += size
    head[:32] = b"* MICROMED  Brain-Quick file *\x1a\0"
    head[128:134] = bytes([START.day, START.month, START.year - 1900, START.hour, START.minute, START.second])
    struct.pack_into("<IHHHH", head, 138, at, n, 2 * n, RATE_HZ, 2)
    head[175] = file_type
    data = bytearray(at)
    data[:640] = head
    struct.pack_into(f"<{n}H", data, places["ORDER"], *range(n))
    for i, electrode in enumerate(ELECTRODES):
        place = places["LABCOD"] + 128 * i
        data[place] = 1
        data[place + 2 : place + 14] = electrode.encode().ljust(6, b"\0") + b"G2".ljust(6, b"\0")
        limit = round(32768 * step_uv)
        struct.pack_into("<iiiiih", data, place + 14, 0, 65535, 32768, -limit, limit, 0)
        struct.pack_into("<H", data, place + 44, 1)
    for empty in ("NOTE",):
        for row in range(1000):
            struct.pack_into("<I", data, places[empty] + 44 * row, 0 if file_type == 4 else 0xFFFFFFFF)
    struct.pack_into("<I40s", data, places["NOTE"], round(NOTE_S * RATE_HZ), NOTE.encode())
    struct.pack_into("<IH", data, places["TRIGGER"], 0xFFFFFFFF, 0)
    if gap_s:  # (sample of the recorder's clock, sample in the file) of each part
        half = uv.shape[1] // 2
        struct.pack_into("<IIII", data, places["TRONCA"], 1000, 0, 1000 + half + round(gap_s * RATE_HZ), half)
    numbers = (np.round(uv.T / step_uv) + 32768).astype("<u2")
    path = folder / name
    path.write_bytes(bytes(data) + numbers.tobytes())
    return path, step_uv


def micromed_vwr(folder: Path, uv: FloatArray, gap_s: float = 0.0) -> Written:
    """Write a .vwr of Micromed."""
    return micromed(folder, uv, gap_s, "night.vwr", 2)


def nicolet_e(folder: Path, uv: FloatArray, gap_s: float = 0.0) -> Written:
    """Write a .e of NicoletOne: a table of tags, an index, a stream a channel, pieces and events with their clock."""
    step_uv, n = vendor_files.STEP_UV, len(uv)
    day = 86400.0

    def ole(at: datetime) -> float:
        return (at - datetime(1899, 12, 30)).total_seconds() / day

    def guid(text: str) -> bytes:
        a, b, c, d, e = text.split("-")
        return struct.pack("<IHH", int(a, 16), int(b, 16), int(c, 16)) + bytes.fromhex(d + e)

    def wide(text: str, size: int) -> bytes:
        return text.encode("utf-16-le").ljust(size, b"\0")

    table = bytearray(760 + 552 * n)
    struct.pack_into("<I", table, 752, n)
    for i, name in enumerate(ELECTRODES):
        at = 760 + 552 * i
        table[at : at + 64], table[at + 0x80 : at + 0xC0], table[at + 0xC0 : at + 0x100] = (
            wide(name, 64), wide(name, 64), wide("REF", 64))  # fmt: skip
        struct.pack_into("<dddd", table, at + 0x100, 0.5, 70.0, float(RATE_HZ), step_uv)
    pieces = [uv.shape[1]] if not gap_s else [uv.shape[1] // 2, uv.shape[1] - uv.shape[1] // 2]
    segments, at_s = b"", 0.0
    for length in pieces:
        segment = bytearray(152)
        struct.pack_into("<d", segment, 0, ole(START + timedelta(seconds=at_s)))
        struct.pack_into("<d", segment, 16, length / RATE_HZ)
        segments += segment
        at_s += length / RATE_HZ + gap_s
    event = bytearray(0x108) + wide(NOTE, 64)
    struct.pack_into("<Q", event, 0x10, len(event))
    struct.pack_into("<dd", event, 0x20, ole(START + timedelta(seconds=NOTE_S)), 0.0)
    event[0x30:0x38] = struct.pack("<d", 2.0)
    event[0x88:0x98] = guid("A5A95612-A7F8-11CF-831A-0800091B5BDA")
    # The samples are stored upside down.
    streams = [np.round(-row / step_uv).astype("<i2").tobytes() for row in uv]
    sections = {
        "{A271CCCB-515D-4590-B6A1-DC170C8D6EE2}": bytes(table),
        "SegmentStream": segments,
        "Events": bytes(event),
    }
    sections |= {str(i): stream for i, stream in enumerate(streams)}
    tags, index, body = b"", b"", b""
    first = 0xB0 + 84 * len(sections)
    index_at = first + sum(len(section) for section in sections.values())
    for number, (name, section) in enumerate(sections.items(), start=1):
        tags += wide(name, 80) + struct.pack("<I", number)
        index += struct.pack("<QQII", number, first + len(body), len(section), len(section))
        body += section
    # The index lies within what its last entry spans.
    index = index[:-8] + struct.pack("<II", len(section) + 8 + len(index), len(section))
    head = bytearray(0xB0)
    head[:16] = bytes.fromhex("0fc37b1ccf2d6d4b8aea1f64ced2b917")
    struct.pack_into("<I", head, 0x18, index_at)
    struct.pack_into("<I", head, 0xAC, len(sections))
    path = folder / "night.e"
    path.write_bytes(bytes(head) + tags + body + struct.pack("<Q", len(sections)) + index)
    return path, step_uv


def xdf(folder: Path, uv: FloatArray, gap_s: float = 0.0) -> Written:
    """Write an XDF: a stream of EEG, one of markers."""

    def chunk(tag: int, content: bytes) -> bytes:
        return b"\x08" + struct.pack("<Q", len(content) + 2) + struct.pack("<H", tag) + content

    named = "".join(f"<channel><label>{e}</label><unit>microvolts</unit></channel>" for e in ELECTRODES)
    header = (
        "<?xml version='1.0'?><info><name>{}</name><type>{}</type><channel_count>{}</channel_count>"
        "<nominal_srate>{}</nominal_srate><channel_format>{}</channel_format><desc>{}</desc></info>"
    )
    eeg = header.format("amp", "EEG", len(uv), RATE_HZ, "float32", f"<channels>{named}</channels>")
    marks = header.format("marks", "Markers", 1, 0, "string", "")
    data = b"XDF:" + chunk(1, f"<?xml version='1.0'?><info><datetime>{START.isoformat()}</datetime></info>".encode())
    data += chunk(2, struct.pack("<I", 1) + eeg.encode()) + chunk(2, struct.pack("<I", 2) + marks.encode())
    half = uv.shape[1] // 2
    stamps = 500.0 + np.arange(uv.shape[1]) / RATE_HZ
    stamps[half:] += gap_s
    rows = b"".join(
        b"\x08" + struct.pack("<d", stamp) + row.astype("<f4").tobytes()
        for stamp, row in zip(stamps, uv.T, strict=True)
    )
    data += chunk(3, struct.pack("<I", 1) + b"\x04" + struct.pack("<I", uv.shape[1]) + rows)
    mark = b"\x08" + struct.pack("<d", 500.0 + NOTE_S) + bytes([1, len(NOTE)]) + NOTE.encode()
    data += chunk(3, struct.pack("<I", 2) + b"\x01\x01" + mark)
    data += chunk(6, struct.pack("<I", 1) + b"<?xml version='1.0'?><info></info>")
    data += chunk(6, struct.pack("<I", 2) + b"<?xml version='1.0'?><info></info>")
    path = folder / "night.xdf"
    path.write_bytes(data)
    return path, 1e-3


def dicom(folder: Path, uv: FloatArray, gap_s: float = 0.0) -> Written:
    """Write a routine scalp EEG of DICOM: 16-bit numbers, one group or two with a pause between them."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.sequence import Sequence as DicomSequence
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    def code(value: str, meaning: str) -> DicomSequence:
        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "UCUM", meaning
        return DicomSequence([item])

    step_uv, groups, at_s = vendor_files.STEP_UV, [], 0.0
    for part in np.array_split(uv, 2, axis=1) if gap_s else [uv]:
        group = Dataset()
        group.MultiplexGroupTimeOffset = at_s * 1000.0
        group.WaveformOriginality = "ORIGINAL"
        group.NumberOfWaveformChannels, group.NumberOfWaveformSamples = part.shape
        group.SamplingFrequency = RATE_HZ
        channels = []
        for name in ELECTRODES:
            channel = Dataset()
            channel.ChannelLabel = name
            channel.ChannelSourceSequence = code("x", name)
            channel.ChannelSensitivity, channel.ChannelSensitivityCorrectionFactor = step_uv, 1
            channel.ChannelSensitivityUnitsSequence = code("uV", "microvolt")
            channel.ChannelBaseline, channel.WaveformBitsStored = 0, 16
            channels.append(channel)
        group.ChannelDefinitionSequence = DicomSequence(channels)
        group.WaveformBitsAllocated, group.WaveformSampleInterpretation = 16, "SS"
        group.WaveformData = np.round(part.T / step_uv).astype("<i2").tobytes()
        groups.append(group)
        at_s += part.shape[1] / RATE_HZ + gap_s
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = "1.2.840.10008.5.1.4.1.1.9.7.1"
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = generate_uid(entropy_srcs=["a"])
    data.Modality = "EEG"
    data.AcquisitionDateTime = START.strftime("%Y%m%d%H%M%S")
    data.WaveformSequence = DicomSequence(groups)
    note = Dataset()
    note.UnformattedTextValue, note.TemporalRangeType = NOTE, "POINT"
    note.ReferencedSamplePositions = [round(NOTE_S * RATE_HZ) + 1]
    data.WaveformAnnotationSequence = DicomSequence([note])
    path = folder / "night.dcm"
    data.save_as(path, enforce_file_format=True)
    return path, step_uv


WRITERS: Mapping[str, Writer] = MappingProxyType(
    {
        "Micromed": micromed,
        "Micromed VWR": micromed_vwr,
        "Nicolet .e": nicolet_e,
        "XDF": xdf,
        "DICOM EEG": dicom,
    }
)
