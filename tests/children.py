"""Processes that tests start."""

from __future__ import annotations

import os


def unmeasured() -> dict[str, str]:
    """Return the environment for a child whose lines count as reached by other tests, in their own process.

    To trace it would double what it costs; what is met in a child alone, as workers of a scan, stays measured.
    """
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_PROCESS")}
