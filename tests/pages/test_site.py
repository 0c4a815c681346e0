"""The documentation site builds from nothing without a warning, and a broken link, a forgotten page or a failing cell stops it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from places import PROJECT

from mtjlearn.cli import commands

pytest.importorskip("myst_nb", reason="the tools of the site are not installed: make docs installs them")
pytest.importorskip("furo")
pytestmark = pytest.mark.slow

CELL = '---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n\n# A notebook\n\n```{code-cell} python\n1 / 0\n```\n'
LISTED = "root: docs/README\nentries:\n  - file: docs/page\n"
SMALL = {"docs/README.md": "# Start\n\n[a page](page.md)\n", "docs/page.md": "# A page\n", "docs/toc.yml": LISTED}
FAULTS = {
    "nothing": ({}, None),
    "a broken link": ({"docs/page.md": "# A page\n\n[nowhere](nowhere.md)\n"}, "nowhere.md"),
    "a broken anchor": ({"docs/page.md": "# A page\n\n[start](README.md#nowhere)\n"}, "'nowhere'"),
    "a forgotten page": ({"docs/other.md": "# Another page\n"}, "docs/other.md"),
    "a page that is not there": ({"docs/toc.yml": LISTED + "  - file: docs/missing\n"}, "docs/missing"),
    "a failing cell": ({"docs/page.md": CELL}, "docs/page.md"),
}


def build(project: Path, out: Path) -> subprocess.CompletedProcess[str]:
    """As make docs does."""
    options = ["--builder", "html", "--conf-dir", "docs", "--fail-on-warning", "--keep-going", "--quiet"]
    return subprocess.run(
        [sys.executable, "-m", "sphinx", *options, ".", out], cwd=project, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site") / "site"
    done = build(PROJECT, out)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def test_the_makefile_builds_with_the_same_options() -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    assert "-m sphinx --builder html --conf-dir docs --fail-on-warning --keep-going" in makefile


def test_the_root_leads_to_the_start_page(site: Path) -> None:
    assert "docs/README.html" in (site / "index.html").read_text(encoding="utf-8")
    assert (site / "docs" / "README.html").exists()


def test_every_command_and_option_is_in_the_reference(site: Path) -> None:
    page = (site / "docs" / "reference" / "cli.html").read_text(encoding="utf-8")
    for command in commands():
        assert f'id="mtjlearn-{command}"' in page
    for option in ("--checkpoint-interval", "--retry-failed", "--observation"):
        assert option in page


def test_every_message_is_in_the_reference(site: Path) -> None:
    page = (site / "docs" / "reference" / "protocol.html").read_text(encoding="utf-8")
    definition = tomllib.loads((PROJECT / "shared" / "protocol.toml").read_text(encoding="utf-8"))
    for name in [*definition["messages"], *definition["enums"], *definition["flags"]]:
        assert f'id="{name.lower().replace("_", "-")}"' in page


def test_docstrings_are_in_the_reference(site: Path) -> None:
    pages = "".join(path.read_text(encoding="utf-8") for path in (site / "docs" / "reference" / "api").glob("*.html"))
    names = ("board.Board.train", "estimators.ANPClassifier.fit", "reference.Reference", "noise.fit_hmm", "fixedpoint.FixedNetwork")
    for name in names:
        assert f'id="mtjlearn.{name}"' in pages


def test_notebooks_have_figures_and_numbers(site: Path) -> None:
    for notebook in (PROJECT / "docs" / "notebooks").glob("*.md"):
        page = (site / "docs" / "notebooks" / f"{notebook.stem}.html").read_text(encoding="utf-8")
        figures = re.findall(r"<img [^>]*_images/[0-9a-f]+\.png", page)
        assert len(figures) == notebook.read_text(encoding="utf-8").count("plt.show()")
        assert 'class="output text_plain' in page or 'class="output stream' in page


def test_links_that_leave_the_site_are_listed(site: Path) -> None:
    links = (site / "external-links.txt").read_text(encoding="utf-8").splitlines()
    assert links == sorted(set(links))
    assert any(line.startswith("https://micropython.org/download/\tdocs/micropython") for line in links)


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_stop_the_build(fault: str, tmp_path: Path) -> None:
    """A project of two pages, with the site's own settings."""
    project = tmp_path / "project"
    for folder in ("docs/site", "shared/generator"):
        shutil.copytree(PROJECT / folder, project / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "docs/conf.py", "shared/protocol.toml"):
        shutil.copy(PROJECT / file, project / file)
    files, named = FAULTS[fault]
    for name, text in {**SMALL, **files}.items():
        (project / name).write_text(text, encoding="utf-8")
    done = build(project, tmp_path / "site")
    assert (done.returncode == 0) == (named is None), done.stdout + done.stderr
    assert named is None or named in done.stderr
