"""What our pages are made of: files of this package, a policy that lets nothing else run, data no text can leave."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from brainscan.mapping import finite

if TYPE_CHECKING:
    from jinja2 import Template


@cache
def part(name: str) -> str:
    """Return a file of this package: a template, a script, a style."""
    return resources.files("brainscan.report").joinpath(name).read_text(encoding="utf-8")


def template(name: str) -> Template:
    """Return a template whose every value is escaped; an unknown name is an error."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(part(name))


def policy(script: str, style: str) -> str:
    """Return the content security policy that lets this script and this style run and nothing else."""

    def hashed(text: str) -> str:
        return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")

    return (
        f"default-src 'none'; script-src 'sha256-{hashed(script)}'; style-src 'sha256-{hashed(style)}'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def json_block(document: Any) -> str:
    """Return JSON that no text inside can end the element of: for a script element that holds data."""
    text = json.dumps(finite(document), ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
