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


def needed(name: str) -> dict[str, list[str]]:
    """Return each package that a base install of `name` brings here, and what it needs itself."""
    found: dict[str, list[str]] = {}
    ahead = [_key(name)]
    while ahead:
        one = ahead.pop()
        if one in found:
            continue
        wanted = (Requirement(text) for text in metadata.requires(one) or [])
        found[one] = sorted({_key(r.name) for r in wanted if r.marker is None or r.marker.evaluate({"extra": ""})})
        ahead += found[one]
    return dict(sorted(found.items()))


def document(wheel: Path) -> dict[str, Any]:
    """Return the SBOM of a wheel."""
    packages = needed("brainscan")
    places = {name: f"pkg:pypi/{name}@{metadata.version(name)}" for name in packages}

    def component(name: str) -> dict[str, Any]:
        facts = metadata.metadata(name)
        licence = facts.get("License-Expression") or (facts.get("License") or "").partition("\n")[0]
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
