"""Receivers that are down, refuse, hang or move: on loopback, and never twice."""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from brainscan.errors import UsageError
from brainscan.live.command import Command
from brainscan.live.courier import Courier, RefusedError
from brainscan.live.dispatch import Dispatch, Receiver
from brainscan.live.messages import EventMessage, Kind, Lag
from brainscan.live.outbox import Outbox
from brainscan.live.webhook import Webhook
from tests.brainscan.live.receiver import Server, server
from tests.documents import check

__all__ = ["server"]


def _message(number: int, kind: Kind = "open") -> EventMessage:
    return EventMessage(kind, f"abc-{number}", 10.0 * number, 10.0 * number + 5.0, 0.9, False, 100.0)


def _wait(condition: Callable[[], bool], within_s: float = 20.0) -> None:
    until = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < until, "not within time"
        time.sleep(0.01)


def _dispatch(server: Server, folder: Path, notes: list[str], label: str = "") -> Dispatch:
    webhook = Webhook(server.url, timeout_s=2.0)
    return Dispatch([Receiver(server.url, webhook.shown, webhook)], folder, label, notes.append)


def test_opens_and_ends_are_posted_once_each(server: Server, tmp_path: Path) -> None:
    notes: list[str] = []
    dispatch = _dispatch(server, tmp_path, notes, "bed 3")
    assert dispatch.begin("abc") == ()
    for kind in ("open", "update", "close", "close"):
        dispatch.message(_message(1, kind))
    dispatch.message(_message(2, "withdraw"))
    dispatch.message(Lag(100.0, True))
    dispatch.end()
    assert server.names == ["abc-1:open", "abc-1:close", "abc-2:withdraw"]
    first, *_ = [check(document) for _, document in server.got]
    assert first == {**_message(1).as_mapping(), "stream": "abc", "label": "bed 3"}
    assert notes == []
    again = _dispatch(server, tmp_path, notes)
    assert [event.id for event in again.begin("abc")] == ["abc-1", "abc-2"]
    again.message(_message(1, "open"))
    again.message(_message(1, "close"))
    again.message(_message(3, "open"))
    again.end()
    assert server.names[3:] == ["abc-3:open"]


def test_a_receiver_that_is_down_gets_all_in_order_when_it_is_back(server: Server, tmp_path: Path) -> None:
    server.answers = [503, 500, 404, 429]
    notes: list[str] = []
    outbox = Outbox(tmp_path / "box.jsonl")
    for number in range(3):
        outbox.put(f"{number}", _message(number).as_mapping())
    courier = Courier(outbox, Webhook(server.url), notes.append, first_pause_s=0.01)
    assert courier.close(20.0) == 0
    assert server.names == ["0", "1", "2"]
    assert [note.partition(":")[0] for note in notes[:1]] == ["webhook 127.0.0.1"]
    assert not any("secret" in note for note in notes)


def test_what_is_not_delivered_waits_for_the_next_start(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("brainscan.live.dispatch.LAST_S", 0.2)
    server.answers = [503] * 50
    notes: list[str] = []
    dispatch = _dispatch(server, tmp_path, notes)
    dispatch.begin("abc")
    dispatch.message(_message(1))
    dispatch.end()
    assert "1 not delivered to 127.0.0.1" in notes[-1]
    server.answers = []
    later = _dispatch(server, tmp_path, notes)
    later.begin("abc")
    later.end()
    assert server.names == ["abc-1:open"]


def test_nobody_listening_and_nobody_answering_are_troubles(server: Server) -> None:
    server.hang_s = 0.5
    assert (
        "does not answer" in (problem := Webhook(server.url, timeout_s=0.1)("x", {})) or "cannot be reached" in problem
    )
    silent = Webhook("http://127.0.0.1:9/secret")
    assert "127.0.0.1:9 cannot be reached" in silent("x", {})
    assert "secret" not in silent("x", {})


@pytest.mark.parametrize("status", [400, 422])
def test_a_refusal_is_not_repeated(server: Server, tmp_path: Path, status: int) -> None:
    server.answers = [status]
    notes: list[str] = []
    dispatch = _dispatch(server, tmp_path, notes)
    dispatch.begin("abc")
    dispatch.message(_message(1))
    dispatch.message(_message(2))
    dispatch.end()
    assert server.names == ["abc-2:open"]
    assert [note.endswith("abc-1:open is given up") for note in notes] == [True]


@pytest.mark.parametrize("status", [301, 307])
def test_redirects_are_not_followed(server: Server, status: int) -> None:
    server.answers = [status]
    assert f"status {status}" in Webhook(server.url)("x", {})
    assert server.got == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://a/b",
        "file:///etc/passwd",
        "http://",
        "https://user:pw@host/",
        "http://a b/",
        "http://a:x/",
        "http://ä/",
    ],
)
def test_only_plain_http_urls_are_taken(url: str) -> None:
    with pytest.raises(UsageError) as raised:
        Webhook(url)
    assert "pw" not in str(raised.value)


def test_https_certificates_are_verified(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl here, to make a certificate with")
    files = ("-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem")
    names = ("-subj", "/CN=another.example", "-addext", "subjectAltName=IP:127.0.0.1")
    made = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *files, *names]
    subprocess.run(made, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    url = server.url.replace("http:", "https:")
    assert "CERTIFICATE_VERIFY_FAILED" in Webhook(url)("x", {})
    assert server.got == []
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    assert Webhook(url)("x", {}) == ""
    assert "Hostname mismatch" in Webhook(url.replace("127.0.0.1", "localhost"))("y", {})
    assert server.names == ["x"]


_ECHO = "import pathlib, sys; pathlib.Path(sys.argv[1]).open('a').write(sys.stdin.read())"


def test_a_command_gets_each_event_once_on_its_standard_input(tmp_path: Path) -> None:
    out, notes = tmp_path / "out put", list[str]()
    line = f"'{sys.executable}' -c \"{_ECHO}\" '{out}'"
    for _ in range(2):
        dispatch = Dispatch([Receiver(line, "command", Command(line))], tmp_path / "state", "", notes.append)
        dispatch.begin("abc")
        dispatch.message(_message(1, "open"))
        dispatch.message(_message(1, "close"))
        dispatch.end()
    assert [json.loads(text)["kind"] for text in out.read_text("utf-8").splitlines()] == ["open", "close"]
    assert notes == []


@pytest.mark.parametrize(
    ("program", "what"),
    [("import sys; sys.exit(3)", "exit code 3"), ("import time; time.sleep(30)", "longer than 0.3 s")],
)
def test_a_command_that_fails_is_told_and_not_repeated(program: str, what: str) -> None:
    command = Command(f"'{sys.executable}' -c \"{program}\"", timeout_s=0.3 if "sleep" in program else 20.0)
    with pytest.raises(RefusedError, match=what):
        command("abc-1:open", {"kind": "open"})


def test_no_shell_reads_a_command(tmp_path: Path) -> None:
    command = Command(f"'{sys.executable}' -c 'import sys; sys.exit(len(sys.argv))' ; touch '{tmp_path}/x'")
    with pytest.raises(RefusedError, match="exit code 4"):
        command("x", {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("line", ["", "  ", "no-such-program-anywhere --x", "'unfinished"])
def test_commands_that_cannot_be_run_are_refused_at_once(line: str) -> None:
    with pytest.raises(UsageError):
        Command(line)


def test_a_full_disk_stops_deliveries_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notes: list[str] = []
    outbox = Outbox(tmp_path / "box.jsonl")
    outbox.put("a", _message(1).as_mapping())

    def full(_name: str, _document: Mapping[str, Any]) -> str:
        outbox.path.unlink()
        outbox.path.mkdir()
        return ""

    courier = Courier(outbox, full, notes.append)
    _wait(lambda: bool(notes))
    courier.close(0.1)
    assert "nothing more is delivered" in notes[0]
