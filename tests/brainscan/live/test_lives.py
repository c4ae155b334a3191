"""Which of what is seen and what is certain is the same event."""

from __future__ import annotations

from datetime import datetime

from brainscan.decision.postprocess import Ongoing
from brainscan.events import Event
from brainscan.live.lives import Known, Lives
from brainscan.live.messages import EventMessage


def _said(messages: list[EventMessage]) -> list[tuple[str, float, float, bool]]:
    return [(m.kind, m.onset_s, m.until_s, m.provisional) for m in messages]


def test_what_was_seen_becomes_certain_and_keeps_its_identifier() -> None:
    lives = Lives("abc")
    opened = lives.seen([Event(100.0, 110.0, 0.9)], 112.0)
    assert _said(opened) == [("open", 100.0, 110.0, True)]
    assert _said(lives.seen([Event(100.2, 115.0, 0.9)], 117.0)) == [("update", 100.0, 115.0, True)]
    assert lives.seen([Event(100.2, 115.0, 0.9)], 122.0) == []
    grown = lives.goes_on(Ongoing(101.0, 112.0, 0.8), 101.0, 170.0)
    assert _said(grown) == [("update", 101.0, 115.0, False)]
    closed = lives.closed([Event(101.0, 118.0, 0.85)], 200.0)
    assert _said(closed) == [("close", 101.0, 118.0, False)]
    assert {m.id for m in (*opened, *grown, *closed)} == {"abc-000100.000"}


def test_an_event_that_nobody_saw_opens_before_it_closes() -> None:
    messages = Lives("abc").closed([Event(10.0, 20.0, 0.9), Event(30.0, 40.0, 0.8, prolonged=True)], 99.0)
    assert _said(messages) == [
        ("open", 10.0, 20.0, False),
        ("close", 10.0, 20.0, False),
        ("open", 30.0, 40.0, False),
        ("close", 30.0, 40.0, False),
    ]
    assert messages[3].prolonged


def test_what_did_not_hold_is_withdrawn_when_it_is_settled() -> None:
    lives = Lives("abc")
    lives.seen([Event(100.0, 110.0, 0.9)], 112.0)
    assert lives.goes_on(None, 114.0, 180.0) == []
    assert _said(lives.goes_on(None, 116.0, 190.0)) == [("withdraw", 100.0, 110.0, True)]
    again = lives.seen([Event(100.0, 110.0, 0.9)], 191.0)
    assert again[0].id == "abc-000100.000-2"


def test_two_events_are_open_at_once() -> None:
    lives = Lives("abc")
    lives.goes_on(Ongoing(10.0, 40.0, 0.9), 10.0, 100.0)
    assert _said(lives.seen([Event(85.0, 99.0, 0.9)], 100.0)) == [("open", 85.0, 99.0, True)]
    assert [m.id for m in lives.closed([Event(10.0, 50.0, 0.9)], 130.0)] == ["abc-000010.000"]
    assert [m.id for m in lives.closed([Event(86.0, 99.0, 0.9)], 190.0)] == ["abc-000085.000"]


def test_a_late_look_at_a_closed_event_opens_nothing() -> None:
    lives = Lives("abc")
    lives.closed([Event(10.0, 50.0, 0.9)], 130.0)
    assert lives.seen([Event(12.0, 48.0, 0.9), Event(40.0, 60.0, 0.9)], 131.0) == []
    assert len(lives.seen([Event(60.0, 70.0, 0.9)], 131.0)) == 1


def test_after_a_restart_the_same_events_have_the_same_identifiers() -> None:
    lives = Lives("abc", known=[Known("abc-000100.000", 100.0, 120.0), Known("abc-000300.000", 300.0, 310.0)])
    messages = lives.closed([Event(103.0, 118.0, 0.9), Event(200.0, 210.0, 0.9), Event(299.0, 312.0, 0.9)], 400.0)
    assert [m.id for m in messages if m.kind == "close"] == ["abc-000100.000", "abc-000200.000", "abc-000300.000"]


def test_whoever_was_told_of_an_open_event_is_told_its_end_after_a_restart() -> None:
    known = [Known("abc-000100.000", 100.0, 112.0, is_open=True), Known("abc-000300.000", 300.0, 310.0, is_open=True)]
    lives = Lives("abc", known=known)
    assert lives.goes_on(None, 50.0, 120.0) == []
    said = lives.closed([Event(102.0, 118.0, 0.9)], 200.0)
    assert [(m.kind, m.id) for m in said] == [("open", "abc-000100.000"), ("close", "abc-000100.000")]
    withdrawn = lives.goes_on(None, 400.0, 480.0)
    assert [(m.kind, m.id) for m in withdrawn] == [("withdraw", "abc-000300.000")]
    grown = Lives("abc", known=known).goes_on(Ongoing(101.0, 130.0, 0.9), 101.0, 220.0)
    assert [(m.kind, m.id) for m in grown] == [("open", "abc-000100.000")]


def test_the_json_form_is_as_documented() -> None:
    (message,) = Lives("abc", datetime(2026, 3, 2, 22, 0, 0)).seen([Event(61.5, 70.0, 0.9)], 72.0)
    assert message.as_mapping() == {
        "schema": "stream-2",
        "kind": "open",
        "id": "abc-000061.500",
        "onset_s": 61.5,
        "offset_s": None,
        "confidence": 0.9,
        "clock": "2026-03-02T22:01:01.500",
        "until_s": 70.0,
        "provisional": True,
        "prolonged": False,
        "at_s": 72.0,
    }
