"""Whose a recording is: corpora of the field, and what hospitals call folders and files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainscan.corpora.patients import Placement, patient_of, place
from brainscan.corpora.table import LAYOUTS
from tests.edf_files import FakeEdf, eeg


def placed(*names: str, root: str = "root") -> Placement:
    return place(Path("absent") / root, [PurePath(name) for name in names], headers=False)


def groups(placement: Placement) -> list[list[str]]:
    """Return the recordings of each patient."""
    patients: dict[str, list[str]] = {}
    for name, found in placement.places.items():
        patients.setdefault(found.patient, []).append(name.as_posix())
    return sorted(patients.values())


KNOWN = [
    # TUSZ v1.5: montage first, eight digits
    ("edf/train/01_tcp_ar/002/00000258/s003_2003_07_21/00000258_s003_t000.edf", "00000258", "tusz", "train"),
    ("v1.5.2/edf/dev/02_tcp_le/099/00009901/s001_2011_01_02/00009901_s001_t000.edf", "00009901", "tusz", "dev"),
    ("data/TUSZ/v1.5.2/edf/eval/03_tcp_ar_a/099/00009901/s1_2011/odd.edf", None, None, "eval"),
    ("data/TUSZ/v1.5.2/edf/eval/03_tcp_ar_a/099/00009901/s001_2011/odd.edf", "00009901", "tusz", "eval"),
    ("EDF/DEV/01_TCP_AR/099/00009901/S001_2011_01_02/00009901_S001_T000.EDF", "00009901", "tusz", "DEV"),
    ("01_tcp_ar/099/00009901/s001_2011_01_02/00009901_s001_t000.edf", "00009901", "tusz", ""),
    ("099/00009901/s001_2011_01_02/00009901_s001_t000.edf", "00009901", "tusz", ""),
    ("s001_2011_01_02/00009901_s001_t000.edf", "00009901", "tusz", ""),
    ("00009901_s001_t000.edf", "00009901", "tusz", ""),
    ("00009901_s001_t000_resampled.edf", "00009901", "tusz", ""),
    # v2: eight letters, session before montage
    ("edf/train/aaaaaajy/s001_2003/01_tcp_ar/aaaaaajy_s001_t000.edf", "aaaaaajy", "tusz", "train"),
    ("tuh_eeg_seizure/v2.0.3/edf/eval/aaaaaajy/s001_2003/01_tcp_ar/odd.edf", "aaaaaajy", "tusz", "eval"),
    ("tuh_eeg_seizure/v2.0.3/edf/dev/AAAAAAJY/s001_2003/01_tcp_ar/AAAAAAJY_s001_t000.edf", "aaaaaajy", "tusz", "dev"),
    ("aaaaaajy/s001_2003/01_tcp_ar/aaaaaajy_s001_t000.edf", "aaaaaajy", "tusz", ""),
    ("aaaaaajy_s001_t000.bdf", "aaaaaajy", "tusz", ""),
    # CHB-MIT
    ("chb01/chb01_03.edf", "chb01", "chbmit", ""),
    ("chb21/chb21_19.edf", "chb01", "chbmit", ""),
    ("CHB21/CHB21_19.EDF", "chb01", "chbmit", ""),
    ("chb21_19.edf", "chb01", "chbmit", ""),
    ("chb-mit-scalp-eeg-database-1.0.0/chb21/19.edf", "chb01", "chbmit", ""),
    ("chb17/chb17a_03.edf", "chb17", "chbmit", ""),
    ("chb17c_13.edf", "chb17", "chbmit", ""),
    ("chb02/chb02_16+.edf", "chb02", "chbmit", ""),
    ("chb-2/night.edf", "chb02", "chbmit", ""),
    ("train/chb05/chb05_06.edf", "chb05", "chbmit", "train"),
    # Siena
    ("PN00/PN00-1.edf", "PN00", "siena", ""),
    ("siena-scalp-eeg-database-1.0.0/PN06/PN06-3.edf", "PN06", "siena", ""),
    ("pn10/pn10-4.5.6.edf", "PN10", "siena", ""),
    ("PN01.edf", "PN01", "siena", ""),
    ("all/PN12_2.edf", "PN12", "siena", ""),
    # BIDS, SeizeIT2
    ("sub-01/eeg/sub-01_task-x_eeg.edf", "sub-01", "bids", ""),
    ("sub-001/ses-01/eeg/sub-001_ses-01_task-szMonitoring_run-01_eeg.edf", "sub-001", "bids", ""),
    ("ds004100/sub-HUP060/ses-presurgery/ieeg/sub-HUP060_ses-presurgery_eeg.vhdr", "sub-HUP060", "bids", ""),
    ("SUB-01/EEG/SUB-01_TASK-X_EEG.EDF", "sub-01", "bids", ""),
    ("sub-01/night.edf", "sub-01", "bids", ""),
    ("deep/sub-07_task-x_eeg.edf", "sub-07", "bids", ""),
    ("train/sub-07/eeg/sub-07_eeg.edf", "sub-07", "bids", "train"),
    ("sub-01_clips/a.edf", "sub-01", "bids", ""),
]


@pytest.mark.parametrize(("name", "patient", "layout", "group"), KNOWN)
@pytest.mark.parametrize("above", ["", "data/", "big_disk/cohort A/", "P001/", "2019/"])
def test_known_corpora_wherever_they_lie(
    name: str, patient: str | None, layout: str | None, group: str, above: str
) -> None:
    # The other recordings show that folders are splits.
    others = [f"{above}train/sub-x/eeg/sub-x_eeg.edf", f"{above}dev/sub-y/eeg/sub-y_eeg.edf"] if group else []
    found = placed(above + name, *others).places[PurePath(above + name)]
    if patient is None:
        return
    assert (found.patient, found.layout) == (patient, layout)
    if above not in {"P001/", "2019/"}:
        assert found.group == group


def test_every_row_of_the_table_is_tried() -> None:
    assert {layout for _, _, layout, _ in KNOWN if layout} == {layout.name for layout in LAYOUTS}


SESSIONS = [
    "s001", "s002_2003_07_21", "S3", "ses-01", "ses02", "session_2", "Session 3", "session3b", "visit1", "Visit_02",
    "visite 3", "day1", "Day_2", "tag3", "night1", "Nacht_2", "run-01", "rec03", "recording_1", "part2", "exam1",
    "followup", "follow-up_2", "baseline", "2019", "2019-03-04", "20190304", "2019_03", "04.03.2019", "4-3-19",
    "2019-03-04_10-30-00", "20190304T103000", "20190304_1030", "v1", "d2", "n3", "t000", "r01", "week_4", "admission 1",
    "monitoring2", "preictal", "awake", "sleep1", "seizure_1", "sz2", "clip07", "EEG1", "block1", "ltm-1", "post",
]  # fmt: skip
PATIENTS = [
    "P001", "p1", "patient_3", "Patient 4", "pat-5", "subj06", "subject7", "S-Anna", "anna", "Müller", "case8", "ID123",
    "MCH0234567", "0234", "kind_9", "proband2", "vp03", "EP-12", "00000258", "ward", "epi3-x",
]  # fmt: skip


@pytest.mark.parametrize("session", SESSIONS)
def test_sessions_of_a_patient_are_one_patient(session: str) -> None:
    for patient in PATIENTS:
        names = [f"{patient}/{session}/a.edf", f"{patient}/2018/eeg/b.edf", "other/a.edf"]
        for above in ("", "data/", "eeg/recordings/"):
            found = placed(*(above + name for name in names))
            assert len(groups(found)) == 2, groups(found)
            (warning,) = found.warnings
            assert warning.startswith("patients: 3 folders, of which 2 look like sessions of one (")
            assert patient in warning


@pytest.mark.parametrize("session", SESSIONS)
def test_sessions_written_behind_the_patient(session: str) -> None:
    for patient in ("pat1", "P001", "subj_3", "MCH0234567"):
        for separator in "_- .":
            folders = placed(f"{patient}{separator}{session}/a.edf", f"{patient}{separator}2018/a.edf", "other/a.edf")
            files = placed(f"{patient}{separator}{session}.edf", f"{patient}{separator}2018.edf", "pat9_1.edf")
            for found in (folders, files):
                assert len(groups(found)) == 2, groups(found)
                assert found.warnings


@pytest.mark.parametrize(
    ("names", "n", "words"),
    [
        # nothing to guess
        (["ward7/a.edf", "ward7/b.edf", "ward8/a.edf"], 2, ""),
        (["p1/a.edf", "p2/a.edf"], 2, ""),
        (["a.edf"], 1, ""),
        (["train/p1/a.edf", "test/p2/a.edf"], 2, ""),
        (["S001/S001R01.edf", "S001/S001R02.edf", "S002/S002R01.edf"], 2, ""),
        (["P1/a.edf", "p1/b.edf"], 1, ""),  # one patient, spelt twice
        # several folders deep, and no word for what they are
        (["ward/x/a.edf", "ward/y/a.edf", "hall/z/a.edf"], 2, "fits no known layout"),
        (["a/b/c/d/e.edf", "a/b/c/f/e.edf"], 1, "fits no known layout"),
        (["1/1/a.edf", "1/2/a.edf", "2/1/a.edf"], 2, "fits no known layout"),
        # all are sessions
        (["s001/a.edf", "s002/a.edf"], 1, "none is a patient's"),
        (["2019-03-04/a.edf", "2019-03-05/a.edf", "day3/a.edf"], 1, "none is a patient's"),
        # years above patients
        (["2019/P001/a.edf", "2020/P001/a.edf", "2020/P002/a.edf"], 2, "sessions of one"),
        (["P001/2019/rec.edf", "P001/2020/rec.edf", "P002/2019/rec.edf"], 2, "sessions of one"),
        (["hospital/P001/2019/rec.edf", "hospital/P002/2020/rec.edf"], 2, ""),
        (["hospital/anna/visit1/rec.edf", "hospital/anna/visit2/rec.edf", "hospital/eve/visit1/a.edf"], 2, "of one"),
        # one folder
        (["pat1_01.edf", "pat1_02.edf", "pat2_01.edf"], 2, "names of 3 recordings"),
        (["x/pat1_01.edf", "x/pat1_02.edf", "x/pat2_01.edf"], 2, "names of 3 recordings"),
        (["P001.edf", "P002.edf", "P001_2.edf"], 2, "names of 3 recordings"),
        (["anna_1.edf", "anna_2.edf", "eve_1.edf"], 2, "names of 3 recordings"),
        (["rec_1.edf", "rec_2.edf", "rec_3.edf"], 3, "nothing says whose 3 recordings"),
        (["seizure1.edf", "night.edf"], 2, "nothing says whose 2 recordings"),
        (["sim-3000001.edf", "sim-3000002.edf"], 2, "names of 2 recordings are taken for those of as many"),
        (["data/a.edf", "data/b.edf"], 2, "nothing says whose 2 recordings"),
        (["sub-01/eeg/sub-02_eeg.edf", "sub-02/eeg/sub-02_eeg.edf"], 2, "named after another patient than the folder"),
    ],
)  # fmt: skip
def test_what_is_guessed_is_said(names: list[str], n: int, words: str) -> None:
    found = placed(*names)
    assert len(groups(found)) == n, groups(found)
    assert len(found.warnings) == bool(words)
    assert words in "".join(found.warnings)
    if words:
        assert found.warnings[0].startswith("patients: ")


def test_the_line_counts_folders_and_sessions() -> None:
    names = [f"p{k}/a.edf" for k in range(8)] + [f"anna/s00{k}/a.edf" for k in range(1, 5)]
    assert placed(*names).warnings == (
        "patients: 12 folders, of which 4 look like sessions of one (anna: anna/s001, anna/s002, anna/s003, anna/s004);"
        " an index.csv (columns file, subject) can say otherwise",
    )


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["train/p1/a.edf", "dev/p2/a.edf"], ["train", "dev"]),
        (["Training/p1/a.edf", "Validation/p2/a.edf", "TEST/p3/a.edf"], ["train", "dev", "eval"]),
        (["data/edf/train/p1/a.edf", "data/edf/eval/p2/a.edf"], ["train", "eval"]),
        (["test/p1/a.edf", "p2/a.edf"], ["", ""]),  # a folder of tests, not a split
        (["p1/test/a.edf", "p2/train/a.edf"], ["", ""]),  # below a patient
        (["train/a.edf", "dev/a.edf"], ["train", "dev"]),
    ],
)
def test_a_corpus_own_splits(names: list[str], expected: list[str]) -> None:
    assert [found.split for found in placed(*names).places.values()] == expected


PART = st.sampled_from(["anna", "p1", "s001", "2019", "eeg", "x", "train", "01_tcp_ar", "00000258", "ses-1", "ward 7"])


@given(st.lists(st.tuples(st.lists(PART, max_size=4), PART), min_size=1, max_size=8))
def test_patients_do_not_depend_on_the_order_and_none_is_lost(tree: list[tuple[list[str], str]]) -> None:
    names = list(dict.fromkeys("/".join([*folders, f"{stem}.edf"]) for folders, stem in tree))
    found = placed(*names)
    assert sorted(name for group in groups(found) for name in group) == sorted(names)
    again = placed(*reversed(names))
    assert {frozenset(group) for group in groups(again)} == {frozenset(group) for group in groups(found)}


@given(
    st.lists(PART.filter(lambda part: "tcp" not in part), max_size=3),
    st.lists(st.sampled_from(SESSIONS), min_size=1, max_size=6, unique=True),
)
def test_folders_of_sessions_never_make_a_patient_more(above: list[str], sessions: list[str]) -> None:
    place_of_one = "/".join([*above, "pat17"])
    names = [f"{place_of_one}/{session}/a.edf" for session in sessions]
    assert len(groups(placed(*names))) == 1
    assert len(groups(placed(*names, "pat18/a.edf"))) == 2


def test_the_folder_itself_may_be_the_patient() -> None:
    found = placed("s001/a.edf", "s002/b.edf", root="anna")
    assert {p.patient for p in found.places.values()} == {"anna"}
    assert patient_of(PurePath("chb21/chb21_19.edf")) == "chb01"


def _people(folder: Path, fields: dict[str, str]) -> Sequence[PurePath]:
    for number, (name, field) in enumerate(fields.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(FakeEdf(eeg(seed=number), 2, fields={"patient": field}).data())
    return [PurePath(name) for name in fields]


ANNA = "MCH-0234567 F 02-MAY-1951 Haagse_Anna"


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (ANNA, ANNA, True),
        (ANNA, "MCH-0234567 X X X", True),
        (ANNA, "MCH-0299999 F 02-MAY-1951 Haagse_Anna", True),
        ("Haagse, Anna", "HAAGSE^ANNA", True),
        ("0234567", "0234567", True),
        ("00009901 F 01-JAN-1930 00009901 Age:35", "00009901 F 01-JAN-1930 00009901 Age:36", True),
        (ANNA, "MCH-0299999 F 03-JUN-1960 Haagse_Eve", False),
        ("Haagse_Anna 02-MAY-1951", "Haagse_Anna 09-SEP-1988", False),
        ("X X X X", "X X X X", False),
        ("X F X X", "X F X X", False),
        ("X F 01-JAN-1900 X", "X F 01-JAN-1900 X", False),
        ("", "", False),
        ("Anonymous", "Anonymous", False),
        ("anonymized patient", "anonymized patient", False),
        ("Unknown", "Unknown", False),
        ("Name: X", "Name: X", False),
        ("0", "0", False),
        ("000000", "000000", False),
        ("XXXX M 01-JAN-1985 XXXXXXX", "XXXX M 01-JAN-1985 XXXXXXX", False),
        ("Female 35", "Male 35", True),  # a number alone is taken for a code: towards fewer patients, and said
    ],
)
def test_headers_know_one_person_under_two_names(tmp_path: Path, first: str, second: str, same: bool) -> None:
    names = _people(tmp_path, {"p1/a.edf": first, "p2/a.edf": second, "p3/a.edf": "X X X X"})
    found = place(tmp_path, names)
    assert len(groups(found)) == (2 if same else 3)
    assert len(found.warnings) == same
    if same:
        assert "the headers of p1, p2 hold the same patient: counted as one" in found.warnings[0]
    words = {word.casefold() for field in (first, second) for word in field.replace("_", " ").split() if len(word) > 3}
    assert not any(word in text.casefold() for text in found.warnings for word in words - {"female", "name:"})


def test_in_known_corpora_it_is_only_said(tmp_path: Path) -> None:
    names = _people(tmp_path, {"sub-01/a.edf": ANNA, "sub-02/a.edf": ANNA, "sub-03/a.edf": "X X X X"})
    found = place(tmp_path, names)
    assert len(groups(found)) == 3
    assert found.warnings == ("patients: the headers of sub-01, sub-02 hold the same patient; they are counted as 2",)
    names = _people(tmp_path, {f"sub-0{k}/a.edf": "Hospital_of_Somewhere" for k in range(4)})
    assert place(tmp_path, names).warnings == ()  # what stands in all of them is nobody's


def test_files_that_are_no_edf_hold_no_person(tmp_path: Path) -> None:
    for name in ("p1/a.edf", "p2/a.edf"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(ANNA.encode() * 20)
    assert len(groups(place(tmp_path, [PurePath("p1/a.edf"), PurePath("p2/a.edf"), PurePath("p3/a.edf")]))) == 3
