"""The site's table of contents has every page once; docs/README.md, which a code host shows, leads to all too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml
from places import PROJECT

TOC = yaml.safe_load((PROJECT / "docs" / "toc.yml").read_text(encoding="utf-8"))


def entries(node: Any) -> Iterator[str]:
    """The pages of a part of the table, in order."""
    if isinstance(node, dict):
        yield from (node[key] for key in ("root", "file") if key in node)
        for key in ("subtrees", "entries"):
            yield from entries(node.get(key, []))
    else:
        for item in node:
            yield from entries(item)


def test_every_page_is_in_the_table_once() -> None:
    listed = list(entries(TOC))
    pages = {path.relative_to(PROJECT).with_suffix("").as_posix() for path in PROJECT.glob("docs/**/*.md")}
    assert not pages - set(listed), "add these pages to docs/toc.yml"
    assert len(set(listed)) == len(listed)
    assert all((PROJECT / f"{page}.md").is_file() for page in listed)


def test_the_start_page_leads_to_every_page() -> None:
    start = PROJECT / "docs" / "README.md"
    links = re.findall(r"\]\((?!https?:|#)([^)#]+\.md)", start.read_text(encoding="utf-8"))
    linked = {(start.parent / link).resolve().relative_to(PROJECT).with_suffix("").as_posix() for link in links}
    pages = {page for page in entries(TOC) if page.startswith("docs/")} - {TOC["root"]}
    assert not pages - linked, "add these pages to docs/README.md"
