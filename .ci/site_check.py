"""Check a built site: ``site_check.py FOLDER``. Links and anchors lead somewhere, nothing comes from outside.

MkDocs checks the links of the sources; this checks what came out, the theme's and mkdocstrings' links included.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_LOADED = {("script", "src"), ("img", "src"), ("link", "href"), ("iframe", "src"), ("source", "src"), ("video", "src")}
_MACHINE = re.compile(r"""(?:^|[\s"'(=>`])/(?:home|root|work|Users|mnt|tmp)/\w""")


class Page(HTMLParser):
    """The anchors of a page, its links, and what it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect."""
        for name, value in attrs:
            if not value:
                continue
            if name == "id" or (tag, name) == ("a", "name"):
                self.anchors.add(value)
            elif (tag, name) in _LOADED:
                self.loads.append(value)
            elif (tag, name) == ("a", "href"):
                self.links.append(value)


def problems(site: Path) -> Iterator[str]:
    """Yield a line for each thing that is wrong."""
    texts = {path: path.read_text(encoding="utf-8") for path in sorted(site.rglob("*.html"))}
    pages = {path: Page(text) for path, text in texts.items()}
    for path, page in pages.items():
        where = path.relative_to(site)
        if path.name == "404.html":  # its links are absolute: it is served for any address
            continue
        for target in (*page.links, *page.loads):
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                if target in page.loads and parts.scheme != "data":
                    yield f"{where}: loads {target}"
                continue
            to = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            to = to / "index.html" if to.is_dir() else to
            if not to.exists():
                yield f"{where}: {target} leads nowhere"
            elif parts.fragment and to in pages and unquote(parts.fragment) not in pages[to].anchors:
                yield f"{where}: {target}: no such place on the page"
        if found := _MACHINE.search(texts[path]):
            yield f"{where}: a path of this machine: {found[0].strip()}"
    for path in sorted(site.rglob("*.css")):
        if re.search(r"""(?:@import\s+|url\()["']?(?:https?:)?//""", path.read_text(encoding="utf-8")):
            yield f"{path.relative_to(site)}: loads from elsewhere"
    if not pages:
        yield f"{site.name}: no page"


def main(arguments: Sequence[str]) -> int:
    """Print what is wrong; 1 if anything is."""
    found = list(problems(Path(arguments[0]).resolve()))
    print("\n".join(found) or "every link leads somewhere; nothing is loaded from elsewhere")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
