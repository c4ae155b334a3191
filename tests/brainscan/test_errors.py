"""The tree of errors: exit codes, kinds, one line each."""

from __future__ import annotations

import pytest

from brainscan.errors import (
    BrainscanError,
    InputError,
    MissingExtraError,
    ModelError,
    OutputError,
    PartialFailureError,
    UsageError,
)


@pytest.mark.parametrize(
    ("error", "code", "kind"),
    [
        (UsageError("x"), 2, "usage"),
        (MissingExtraError("x", "mne"), 2, "extra"),
        (InputError("x", kind="corrupt"), 3, "corrupt"),
        (ModelError("x"), 4, "model"),
        (OutputError("x"), 5, "output"),
        (PartialFailureError("x"), 6, "partial"),
    ],
)
def test_exit_code_and_kind(error: BrainscanError, code: int, kind: str) -> None:
    assert (error.exit_code, error.kind) == (code, kind)
    assert isinstance(error, BrainscanError)


def test_text_is_one_line_of_file_cause_and_hint() -> None:
    error = InputError("is cut\nshort (3 bytes)", kind="corrupt", file="a.edf", hint="copy it again")
    assert str(error) == "a.edf: is cut short (3 bytes). hint: copy it again"
    assert str(UsageError("no")) == "no"


def test_json_form() -> None:
    error = OutputError("exists", file="a.csv_bi", hint="--force")
    assert error.as_mapping() == {"kind": "output", "message": "a.csv_bi: exists", "hint": "--force"}


def test_missing_extra_says_what_to_install() -> None:
    assert str(MissingExtraError("reading FIF", "mne", file="a.fif")).endswith('hint: pip install "brainscan[mne]"')
