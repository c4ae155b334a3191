from __future__ import annotations

import pytest

from brainscan.signal.unknown_labels import mapping_hint


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ([f"LTG{n}" for n in range(1, 9)] + [f"RAH{n}" for n in range(1, 9)] + ["ECG"], "in or on the brain"),
        ([f"POL A'{n}" for n in range(1, 13)], "in or on the brain"),
        ([f"A{n}" for n in range(1, 33)] + ["Status"], "sockets"),
        ([f"EEG {n:03d}" for n in range(1, 20)], "map other names"),
        (["Fp1", "F3", "C3", "x", "y", "z"], "map other names"),
        (["T3", "T5", "T4", "T6", "ECG"], "map other names"),
        (["T3", "T5", "T4", "T6"], "no other channel"),
        (["EEG T3-Ref", "EEG T5-Ref", "EEG T4-Ref", "EEG T6-Ref"], "no other channel"),
        ([f"T{n}" for n in range(1, 13)], "in or on the brain"),
        ([], "map other names"),
    ],
)
def test_what_may_be_behind_them(labels: list[str], said: str) -> None:
    assert said in mapping_hint(labels)
