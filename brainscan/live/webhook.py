"""An event as a POST to a URL: http or https, certificates checked, no redirects, no patient."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from brainscan._version import __version__
from brainscan.errors import UsageError
from brainscan.live.courier import RefusedError

TIMEOUT_S = 10.0

# Of these the same message will not become better; whatever else goes wrong may be mended at the receiver.
_REFUSALS = frozenset({400, 405, 410, 413, 415, 422})


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments: Any, **_named: Any) -> None:
        return None


class Webhook:
    """A receiver of events.

    Parameters
    ----------
    url : str
    timeout_s : float
        For each of its answers.

    Raises
    ------
    UsageError
        If it is no http or https URL, or holds a password.
    """

    def __init__(self, url: str, timeout_s: float = TIMEOUT_S) -> None:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise _bad("is no URL") from None
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise _bad("is no http or https URL")
        if parts.username is not None or parts.password is not None:
            raise _bad("holds a user name or password, which would stand in process lists")
        if not url.isascii() or any(c.isspace() or not c.isprintable() for c in url):
            raise _bad("holds characters that a URL has none of")
        # What follows the host may be a secret, and is shown nowhere.
        self.shown = parts.hostname + (f":{port}" if port else "")
        self._url = url
        self._timeout_s = timeout_s
        self._opener = urllib.request.build_opener(_NoRedirects)

    def __call__(self, name: str, document: Mapping[str, Any]) -> str:
        """Post a document; return what went wrong, empty where it was taken.

        Raises
        ------
        RefusedError
            If the receiver says that this document is wrong.
        """
        request = urllib.request.Request(
            self._url,
            data=json.dumps(document, ensure_ascii=False).encode("utf-8"),
            headers={
                "Content-Type": "application/json",
                "Idempotency-Key": name,
                "User-Agent": f"brainscan/{__version__}",
            },
            method="POST",
        )
        try:
            with self._opener.open(request, timeout=self._timeout_s) as answer:
                answer.read(1)
        except urllib.error.HTTPError as problem:
            problem.close()
            if problem.code in _REFUSALS:
                raise RefusedError(f"webhook {self.shown} refuses (status {problem.code})") from None
            return f"webhook {self.shown} answers with status {problem.code}"
        except urllib.error.URLError as problem:
            return f"webhook {self.shown} cannot be reached ({problem.reason})"
        except (OSError, http.client.HTTPException) as problem:
            return f"webhook {self.shown} does not answer ({type(problem).__name__})"
        return ""


def _bad(what: str) -> UsageError:
    return UsageError(f"--webhook {what}", hint="give one such as https://alarms.example.org/eeg")
