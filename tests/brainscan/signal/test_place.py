"""Where a seizure begins, from pieces whose origin is known."""

from __future__ import annotations

import numpy as np
import pytest

from brainscan.electrodes import ELECTRODES, INDEX, MIRROR, N_ELECTRODES
from brainscan.events import RATE_HZ
from brainscan.signal.place import LATEST, SPAN_S, Piece, leading_of, place_of, side_of

EVERY = np.ones(N_ELECTRODES, dtype=np.bool_)


def _without(*names: str) -> np.ndarray:
    recorded = EVERY.copy()
    recorded[[INDEX[name] for name in names]] = False
    return recorded


def _piece(number: int, rhythm: dict[str, float] | None = None, recorded: np.ndarray = EVERY) -> Piece:
    """Return five seconds of noise, louder in front, with a rhythm of 5 Hz on some electrodes (µV)."""
    rng = np.random.default_rng(number + 100)
    n_samples = SPAN_S * RATE_HZ
    uv = rng.standard_normal((N_ELECTRODES, n_samples)) * 10.0
    uv[[INDEX["Fp1"], INDEX["Fp2"]]] *= 8.0
    at_s = np.arange(n_samples) / RATE_HZ
    for name, peak_uv in (rhythm or {}).items():
        uv[INDEX[name]] += peak_uv * np.sin(2 * np.pi * 5.0 * at_s)
    uv -= uv.mean(axis=0)
    return Piece(float(number * SPAN_S), float((number + 1) * SPAN_S), uv.astype(np.float32), recorded)


BEFORE = [_piece(number) for number in range(-12, 0)]
LEFT = {"T3": 60.0, "F7": 45.0, "T5": 30.0}


def test_a_rhythm_leads_where_it_is_although_others_are_louder() -> None:
    place = place_of(BEFORE, [_piece(0, LEFT)])
    assert place.leading == ("T3", "F7", "T5")
    assert place.side == "left"
    assert (place.field[0].start_s, place.field[0].stop_s) == (0.0, 5.0)
    rise = dict(zip(ELECTRODES, place.field[0].rise_db, strict=True))
    assert rise["T3"] > 6.0 > 1.0 > rise["Fp1"]


def test_the_mirror_image_is_the_other_side() -> None:
    mirrored = {ELECTRODES[MIRROR[INDEX[name]]]: uv for name, uv in LEFT.items()}
    place = place_of(BEFORE, [_piece(0, mirrored)])
    assert (place.side, place.leading) == ("right", ("T4", "F8", "T6"))


def test_the_same_on_both_sides_is_bilateral() -> None:
    both = {**LEFT, **{ELECTRODES[MIRROR[INDEX[name]]]: uv for name, uv in LEFT.items()}}
    assert place_of(BEFORE, [_piece(0, both)]).side == "bilateral"


def test_what_goes_on_as_before_is_uncertain_and_nothing_leads() -> None:
    place = place_of(BEFORE, [_piece(0), _piece(1)])
    assert (place.side, place.leading, len(place.field)) == ("uncertain", (), 2)


def test_an_electrode_that_was_not_recorded_never_leads_and_has_no_value() -> None:
    recorded = _without("T3")
    before = [Piece(p.start_s, p.stop_s, p.uv, recorded) for p in BEFORE]
    place = place_of(before, [_piece(0, LEFT, recorded)])
    assert place.leading[:2] == ("F7", "T5")
    assert place.field[0].rise_db[INDEX["T3"]] is None
    assert place.side == "left"


def test_an_electrode_that_comes_loose_in_the_event_has_no_value_there_only() -> None:
    place = place_of(BEFORE, [_piece(0, LEFT), _piece(1, LEFT, _without("F7"))])
    assert [span.rise_db[INDEX["F7"]] is None for span in place.field] == [False, True]


def test_without_a_minute_before_nothing_is_said() -> None:
    for before in ([], BEFORE[:1]):
        place = place_of(before, [_piece(0, LEFT)])
        assert (place.side, place.leading, place.field) == ("uncertain", (), ())
    assert place_of(BEFORE, []).field == ()


def test_an_onset_that_was_put_too_early_is_looked_for_a_little_while() -> None:
    early = place_of(BEFORE, [*(_piece(n) for n in range(LATEST - 1)), _piece(LATEST, LEFT)])
    assert (early.side, early.leading[0]) == ("left", "T3")
    late = place_of(BEFORE, [*(_piece(n) for n in range(LATEST)), _piece(LATEST, LEFT)])
    assert (late.side, late.leading) == ("uncertain", ())


def test_one_minute_of_another_seizure_in_the_background_does_not_hide_this_one() -> None:
    before = [*(_piece(n, LEFT) for n in range(-14, -12)), *BEFORE]
    assert place_of(before, [_piece(0, LEFT)]).leading[0] == "T3"


@pytest.mark.parametrize(("left", "right", "side"), [(4.0, 1.0, "left"), (1.0, 4.0, "right"), (3.0, 3.0, "bilateral")])
def test_sides_by_how_far_they_differ(left: float, right: float, side: str) -> None:
    excess = np.zeros(N_ELECTRODES)
    for name in ("T3", "F7", "T5"):
        excess[INDEX[name]], excess[MIRROR[INDEX[name]]] = left, right
    assert side_of(excess) == side
    assert side_of(excess * 0.1) == "uncertain"
    assert side_of(np.where(np.arange(N_ELECTRODES) < 2, excess, np.nan)) == "uncertain"


def test_what_lies_between_one_side_and_both_is_uncertain() -> None:
    excess = np.zeros(N_ELECTRODES)
    for name in ("T3", "F7", "T5"):
        excess[INDEX[name]], excess[MIRROR[INDEX[name]]] = 2.0, 1.0
    assert side_of(excess) == "uncertain"


def test_electrodes_of_one_excess_keep_their_order() -> None:
    assert leading_of(np.ones(N_ELECTRODES)) == ELECTRODES[:3]
    assert leading_of(np.full(N_ELECTRODES, np.nan)) == ()
