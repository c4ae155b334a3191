"""What a ``_channels.tsv`` says otherwise is told, and changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainscan.electrodes import ELECTRODES
from brainscan.io import read
from tests.edf_files import FakeEdf, eeg

HEAD = "name\ttype\tunits\tstatus\n"


def rows(unit: str = "uV", bad: tuple[str, ...] = (), names: tuple[str, ...] = ELECTRODES) -> str:
    return HEAD + "".join(f"{name}\tEEG\t{unit}\t{'bad' if name in bad else 'good'}\n" for name in names)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (rows(), ""),
        (rows("µV"), ""),
        (rows("n/a"), ""),
        (rows(names=ELECTRODES[::-1]), ""),
        (rows(names=ELECTRODES[:4]), ""),
        (rows(bad=("T3", "F7")), "marks channels as bad (F7, T3): not obeyed, each is judged by what it holds"),
        (rows().replace("Fp1\tEEG", "Fp1\tEOG"), "calls electrodes something else than EEG (EOG: Fp1): "),
        (rows().replace("\tEEG", ""), "cannot be used: line 2: has too few columns"),
        (rows("mV"), "gives other units than the recording (mV for Fp1, "),
        (rows(names=("E1", "E2")), "names channels that the recording has not (E1, E2): "),
        ("label\tx\nFp1\t1\n", "cannot be used: has no column 'name'"),
        (rows(bad=("T3",)).replace("\t", ";"), "marks channels as bad (T3)"),
    ],
)
def test_differences_are_told(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "sub-1_task-sz_eeg.edf"
    path.write_bytes(FakeEdf(eeg(n_records=12), 12).data())
    plain = read(path)
    (tmp_path / "sub-1_task-sz_channels.tsv").write_text(text, encoding="utf-8")
    told = read(path)
    new = [warning for warning in told.warnings if warning not in plain.warnings]
    assert len(new) == bool(said)
    assert all(warning.startswith(f"sub-1_task-sz_channels.tsv {said}") for warning in new)
    assert told.channels == plain.channels


def test_a_recording_of_another_name_has_none(tmp_path: Path) -> None:
    (tmp_path / "night.edf").write_bytes(FakeEdf(eeg(n_records=12), 12).data())
    (tmp_path / "night_channels.tsv").write_text(rows(bad=("T3",)), encoding="utf-8")
    assert read(tmp_path / "night.edf").warnings == ()
