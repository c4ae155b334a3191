"""``brainscan doctor``: what this machine can use, and a self-test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brainscan.cli import console, options
from brainscan.errors import ModelError

if TYPE_CHECKING:
    from brainscan.doctor import Examination


def doctor(as_json: options.AsJson = False) -> None:
    """Show what this machine can use, and test the installation.

    The self-test runs the shipped model on a built-in input and compares with stored numbers; where it fails the
    exit code is 4.

    Examples
    --------
    brainscan doctor
    brainscan doctor --json
    """
    from brainscan.doctor import examine

    found = examine()
    error = None
    if not found.self_test.passed:
        error = ModelError(f"the self-test failed: {found.self_test.detail}", hint="reinstall brainscan")
    if as_json:
        document = found.as_mapping()
        console.print_json(document if error is None else {**document, "error": error.as_mapping()})
    else:
        _show(found)
    if error is not None:
        error.reported = True
        raise error


def _show(found: Examination) -> None:
    facts = [("versions", f"{name} {version}") for name, version in found.versions.items()]
    facts += [
        ("system", found.system),
        ("processors", f"{found.processors} ({found.threads} threads)"),
    ]
    facts += [("GPU", f"{g.name}, {g.memory_bytes / 2**30:.0f} GiB") for g in found.gpus] or [("GPU", "none")]
    for name, lacks in found.extras.items():
        state = f'incomplete ({", ".join(lacks)}): pip install "brainscan[{name}]"' if lacks else "complete"
        facts.append(("extras", f"{name}: {state}"))
    facts += [("backends", f"{k.name}: {'usable' if k.usable else 'not usable'}, {k.detail}") for k in found.kernels]
    facts.append(("bfloat16", found.bfloat16))
    facts += [("weights", f"{name}: {state}") for name, state in found.weights.items()]
    test = found.self_test
    facts.append(("self-test", f"{'passed' if test.passed else 'FAILED'}: {test.detail}"))
    console.print_facts(facts)
