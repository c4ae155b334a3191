"""What the documentation site shows beside `docs/`, and where links of the repository lead on it (a hook of MkDocs).

README and its like are written for readers of the repository and stay where these look for them; here each becomes a
page. A link to one leads to its page; a link to a file that is no page (a source, the licence) becomes its name.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

REPOSITORY = Path(__file__).resolve().parents[1]

PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "CHANGELOG.md": "project/changelog.md",
    "SECURITY.md": "project/security.md",
    "CODE_OF_CONDUCT.md": "project/conduct.md",
    "configs/README.md": "project/configuration.md",
    "examples/README.md": "project/examples.md",
}
"""Path in the repository to path on the site."""

_LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!\w+:|#)([^)#\s]+)(#[^)\s]*)?\)")
_FENCED = re.compile(r"(^[ ]*```.*?^[ ]*```)", re.MULTILINE | re.DOTALL)


def site_path(source: str) -> str | None:
    """Return where a file of the repository stands on the site, or None."""
    return source.removeprefix("docs/") if source.startswith("docs/") else PAGES.get(source)


def source_path(page: str) -> str:
    """Return the file of the repository that a page of the site is."""
    return {place: source for source, place in PAGES.items()}.get(page, f"docs/{page}")


def relink(text: str, page: str) -> str:
    """Return a page's Markdown with links that hold on the site.

    Parameters
    ----------
    text : str
        As it stands in the repository.
    page : str
        Path on the site.
    """
    folder, here = posixpath.dirname(source_path(page)), posixpath.dirname(page)

    def link(match: re.Match[str]) -> str:
        mark, label, target, anchor = match[1], match[2], match[3], match[4] or ""
        place = site_path(posixpath.normpath(posixpath.join(folder, target)))
        if place is None:
            return label if "`" in label else f"`{label}`"
        return f"{mark}[{label}]({posixpath.relpath(place, here or '.')}{anchor})"

    parts = _FENCED.split(text)
    return "".join(part if i % 2 else _LINK.sub(link, part) for i, part in enumerate(parts))


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that do not lie in `docs/`."""
    from mkdocs.structure.files import File

    for source, place in PAGES.items():
        files.append(File.generated(config, place, content=(REPOSITORY / source).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links hold on the site."""
    del config, files
    return relink(markdown, page.file.src_uri)
