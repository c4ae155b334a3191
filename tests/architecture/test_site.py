"""The documentation site: every page is in it, every link and place holds, Markdown means there what it means here."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import brainscan
from tests.ci_scripts import REPOSITORY, load

pages, site_check = load("site_pages"), load("site_check")

_EXTENSIONS = ["attr_list", "fenced_code", "tables", "toc"]
_FENCED = re.compile(r"^[ ]*```.*?^[ ]*```", re.MULTILINE | re.DOTALL)


class _Loader(yaml.SafeLoader):
    """Reads mkdocs.yml, whose tags for Python objects are not looked at."""


_Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda _loader, suffix, _node: suffix)


def _settings() -> dict[str, Any]:
    settings = yaml.load((REPOSITORY / "mkdocs.yml").read_text(encoding="utf-8"), _Loader)
    assert isinstance(settings, dict)
    return settings


def _site() -> dict[str, str]:
    """Return the Markdown of every page, by its path on the site, as the site has it."""
    sources = {path.relative_to(REPOSITORY / "docs").as_posix(): path for path in (REPOSITORY / "docs").rglob("*.md")}
    sources |= {place: REPOSITORY / source for source, place in pages.PAGES.items()}
    return {place: pages.relink(path.read_text(encoding="utf-8"), place) for place, path in sources.items()}


SITE = _site()


def _in_nav(nav: list[Any]) -> Iterator[str]:
    for entry in nav:
        for value in entry.values():
            if isinstance(value, str):
                yield value
            else:
                yield from _in_nav(value)


def test_every_page_is_in_the_navigation_once() -> None:
    assert sorted(_in_nav(_settings()["nav"])) == sorted(SITE)


def test_nothing_comes_from_elsewhere() -> None:
    settings = _settings()
    assert settings["theme"]["font"] is False
    assert not {"repo_url", "extra_javascript", "extra_css", "site_url"} & set(settings)
    assert "analytics" not in settings["extra"]


def _anchors(text: str) -> set[str]:
    markdown = pytest.importorskip("markdown")
    return set(re.findall(r'\bid="([^"]+)"', markdown.markdown(text, extensions=_EXTENSIONS)))


def test_links_hold_on_the_site_with_their_places() -> None:
    anchors = {place: _anchors(text) for place, text in SITE.items()}
    wrong, n_anchors = [], 0
    for place, text in SITE.items():
        for target in re.findall(r"\]\((?!\w+:)([^)\s]+)\)", _FENCED.sub("", text)):
            path, _, anchor = target.partition("#")
            to = posixpath.normpath(posixpath.join(posixpath.dirname(place), path)) if path else place
            if to not in SITE and not (REPOSITORY / "docs" / to).is_file():
                wrong.append(f"{place}: {target}")
            elif anchor:
                n_anchors += 1
                wrong += [] if anchor in anchors[to] else [f"{place}: {target}: no such place"]
    assert wrong == []
    assert n_anchors > 15


@pytest.mark.parametrize(
    ("page", "link", "expected"),
    [
        ("definitions.md", "[README](../README.md)", "[README](index.md)"),
        ("index.md", "[table](docs/formats.md#json)", "[table](formats.md#json)"),
        ("project/changelog.md", "[table](docs/formats.md)", "[table](../formats.md)"),
        ("project/configuration.md", "[how](../docs/training.md)", "[how](../training.md)"),
        ("index.md", "[Apache-2.0](LICENSE)", "`Apache-2.0`"),
        ("training.md", "![curve](img/learning_curve.svg)", "![curve](img/learning_curve.svg)"),
        ("faq.md", "[there](#places) [away](https://example.org/)", "[there](#places) [away](https://example.org/)"),
        ("faq.md", "```\n[README](../README.md)\n```", "```\n[README](../README.md)\n```"),
    ],
)
def test_links_of_the_repository_become_links_of_the_site(page: str, link: str, expected: str) -> None:
    assert pages.relink(link, page) == expected


@pytest.mark.parametrize("place", sorted(SITE))
def test_markdown_means_on_the_site_what_it_means_in_the_repository(place: str) -> None:
    """Python-Markdown wants a blank line before a list and four blanks inside one; a table that is none shows bars."""
    markdown = pytest.importorskip("markdown")
    shown = markdown.markdown(_FENCED.sub("", SITE[place]), extensions=_EXTENSIONS)
    shown = re.sub(r"<pre>.*?</pre>|<code>.*?</code>", "", shown, flags=re.DOTALL)
    assert re.findall(r"^(?:[-*] .*|\d+\. .*|\|.*\|)$", shown, re.MULTILINE) == []
    assert [line for line in SITE[place].splitlines() if re.match(r"1\. ", line)].__len__() <= shown.count("<ol>")
    assert shown.count("<ol>") == len(re.findall(r"^1\. ", _FENCED.sub("", SITE[place]), re.MULTILINE))


def test_the_python_page_has_every_public_name() -> None:
    shown = re.findall(r"^::: (\S+)$", SITE["python.md"], re.MULTILINE)
    assert {path.rpartition(".")[2] for path in shown} == set(brainscan.__all__) - {"__version__"}
    for path in shown:
        module, _, name = path.rpartition(".")
        assert getattr(brainscan, name).__module__ == module, path


def test_what_is_wrong_with_a_site_is_seen(tmp_path: Path) -> None:
    (tmp_path / "other.html").write_text('<h2 id="here">x</h2>', encoding="utf-8")
    good = '<a href="other.html#here">a</a><a href="https://example.org/">b</a><img src="data:image/png;base64,AA==">'
    (tmp_path / "index.html").write_text(good, encoding="utf-8")
    assert list(site_check.problems(tmp_path)) == []
    bad = {
        '<a href="gone.html">a</a>': "leads nowhere",
        '<a href="other.html#there">a</a>': "no such place",
        '<script src="https://example.org/x.js"></script>': "loads https",
        '<link rel="stylesheet" href="//example.org/x.css">': "loads //",
        "<p>see /ho" + "me/somebody/file</p>": "a path of this machine",
    }
    for text, reason in bad.items():
        (tmp_path / "index.html").write_text(text, encoding="utf-8")
        assert [reason in line for line in site_check.problems(tmp_path)] == [True], text
