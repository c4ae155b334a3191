"""Write what the wheel brings along as a CycloneDX document: ``python .ci/sbom.py WHEEL OUT.json``.

Listed are the base install's packages in the versions of this environment, with their licences, and who needs whom.
Standard library only; CycloneDX 1.5 (ECMA-424).
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement


def _key(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def needed(name: str, extra: str = "") -> dict[str, list[str]]:
    """Return each package that an install of `name`, with one extra or none, brings here, and what it needs itself."""
    found: dict[str, list[str]] = {}
    ahead = [(_key(name), frozenset({extra}))]
    while ahead:
        one, extras = ahead.pop()
        if one in found and extras <= {""}:
            continue
        wanted = [
            r
            for r in map(Requirement, metadata.requires(one) or [])
            if r.marker is None or any(r.marker.evaluate({"extra": each}) for each in extras)
        ]
        found[one] = sorted({*found.get(one, ()), *(_key(r.name) for r in wanted)})
        ahead += [(_key(r.name), frozenset({"", *r.extras})) for r in wanted if _key(r.name) != one]
    return dict(sorted(found.items()))


def licence_of(name: str) -> str:
    """Return what a package says its licence is; empty where it says nothing."""
    facts = metadata.metadata(name)
    if said := facts.get("License-Expression"):
        return str(said)
    classes = [
        text.rpartition(" :: ")[2] for text in facts.get_all("Classifier") or () if text.startswith("License ::")
    ]
    return ", ".join(classes) or (facts.get("License") or "").partition("\n")[0]


def document(wheel: Path) -> dict[str, Any]:
    """Return the SBOM of a wheel."""
    packages = needed("brainscan")
    places = {name: f"pkg:pypi/{name}@{metadata.version(name)}" for name in packages}

    def component(name: str) -> dict[str, Any]:
        licence = licence_of(name)
        told = {"licenses": [{"license": {"name": licence}}]} if licence else {}
        return {
            "type": "library",
            "bom-ref": places[name],
            "name": name,
            "version": metadata.version(name),
            "purl": places[name],
            **told,
        }

    own = component("brainscan")
    own["hashes"] = [{"alg": "SHA-256", "content": hashlib.sha256(wheel.read_bytes()).hexdigest()}]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": own},
        "components": [component(name) for name in packages if name != "brainscan"],
        "dependencies": [
            {"ref": places[name], "dependsOn": [places[other] for other in others]} for name, others in packages.items()
        ],
    }


def main(arguments: Sequence[str]) -> int:
    """Write the document."""
    wheel, out = map(Path, arguments)
    out.write_text(json.dumps(document(wheel), indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
