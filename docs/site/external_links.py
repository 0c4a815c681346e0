"""Lists the links that leave the site, in external-links.txt: nothing outside of the project is asked while it is built."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from docutils import nodes


def _write(app: Any, problem: Exception | None) -> None:
    if problem is None and app.builder.name == "html":
        links = {(address, name) for name in app.env.found_docs for address in _external(app.env.get_doctree(name))}
        lines = [f"{address}\t{name}\n" for address, name in sorted(links)]
        (Path(app.outdir) / "external-links.txt").write_text("".join(lines), encoding="utf-8")


def _external(doctree: nodes.document) -> set[str]:
    addresses = {node.get("refuri", "") for node in doctree.findall(nodes.reference)}
    return {address for address in addresses if address.startswith(("http:", "https:"))}


def setup(app: Any) -> dict[str, bool]:
    """Sphinx calls this."""
    app.connect("build-finished", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
