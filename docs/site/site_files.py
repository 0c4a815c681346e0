"""Files of the site that are not pages: index.html, which leads to the start page, and a list of the links that leave the site.

Nothing outside of the project is asked while the site is built, so these links are listed instead of checked.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from docutils import nodes

_START = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta http-equiv="refresh" content="0; url={page}"><link rel="canonical" href="{page}"></head>
<body><a href="{page}">{title}</a></body></html>
"""


def _write(app: Any, problem: Exception | None) -> None:
    if problem is not None or app.builder.name != "html":
        return
    folder = Path(app.outdir)
    page = app.builder.get_target_uri(app.config.root_doc)
    (folder / "index.html").write_text(_START.format(title=app.config.html_title, page=page), encoding="utf-8")
    links = {(address, name) for name in app.env.found_docs for address in _external(app.env.get_doctree(name))}
    lines = [f"{address}\t{name}\n" for address, name in sorted(links)]
    (folder / "external-links.txt").write_text("".join(lines), encoding="utf-8")


def _external(doctree: nodes.document) -> set[str]:
    addresses = {node.get("refuri", "") for node in doctree.findall(nodes.reference)}
    return {address for address in addresses if address.startswith(("http:", "https:"))}


def setup(app: Any) -> dict[str, bool]:
    """Sphinx calls this."""
    app.connect("build-finished", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
