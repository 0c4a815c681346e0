"""The files that a public service reads: they parse, and name what is there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from places import PROJECT


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def project_table(project: Path) -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return table


def test_ci_runs_targets_of_the_makefile(project: Path) -> None:
    makefile = (project / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+)(?: [a-z-]+)*:", makefile, re.MULTILINE)) | {"validate", "bench"}
    jobs = read(project / ".github/workflows/ci.yml")["jobs"]
    commands = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    assert commands
    for command in commands:
        words = command.split("|")[0].split()
        assert words[0] == "make", command
        names = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
        assert names, command
        assert set(names) <= targets, command
        for variable in (word.partition("=")[0] for word in words if "=" in word):
            assert f"$({variable})" in makefile, command


def test_ci_covers_the_supported_pythons_and_both_compilers(project: Path) -> None:
    matrix = read(project / ".github/workflows/ci.yml")["jobs"]["test"]["strategy"]["matrix"]
    assert matrix["compiler"] == ["gcc", "clang"]
    assert matrix["python"] == ["3.11", "3.12", "3.13", "3.14"]
    assert project_table(project)["requires-python"] == f">={matrix['python'][0]}"


def test_ci_lets_no_warning_of_the_c_compiler_through(project: Path) -> None:
    """An installation does; see docs/installing.md."""
    option = "MTJLEARN_WERROR"
    assert f"-D{option}=ON" in read(project / ".github/workflows/ci.yml")["env"]["CMAKE_ARGS"]
    assert f"-D{option}=ON" in (project / ".ci/run").read_text(encoding="utf-8")
    assert f"option({option} " in (project / "firmware/CMakeLists.txt").read_text(encoding="utf-8")


def test_hooks_run_the_tools_of_the_environment(project: Path) -> None:
    tools = " ".join(project_table(project)["optional-dependencies"]["test"])
    (repository,) = read(project / ".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    assert {hook["id"] for hook in repository["hooks"]} == {"ruff", "codespell"}
    for hook in repository["hooks"]:
        assert hook["entry"].startswith(".venv/bin/")
        assert hook["language"] == "system"
        assert f"{hook['id']}==" in tools


def issue_forms() -> list[Path]:
    folder = PROJECT / ".github/ISSUE_TEMPLATE"
    return [path for path in sorted(folder.glob("*.yml")) if path.name != "config.yml"]


@pytest.mark.parametrize("path", issue_forms(), ids=lambda path: path.stem)
def test_issue_forms_have_what_the_service_needs(path: Path) -> None:
    form = read(path)
    assert {"name", "description", "body"} <= form.keys()
    ids = [field["id"] for field in form["body"]]
    assert len(set(ids)) == len(ids)
    for field in form["body"]:
        assert field["type"] in {"input", "textarea", "dropdown"}
        assert field["attributes"]["label"]
    assert any(field.get("validations", {}).get("required") for field in form["body"])


def test_citation_names_the_paper_that_the_docs_name(project: Path) -> None:
    citation = read(project / "CITATION.cff")
    assert citation["license"] == project_table(project)["license"]
    assert citation["authors"] == [{"name": "The mtjlearn maintainers"}]
    sources = " ".join((project / "docs/design.md").read_text(encoding="utf-8").split())
    for reference in citation["references"]:
        assert reference["title"] in sources
        assert all(author["family-names"] in sources for author in reference["authors"])


def test_the_security_policy_leads_to_the_page(project: Path) -> None:
    assert "(docs/security.md)" in (project / "SECURITY.md").read_text(encoding="utf-8")


def test_changes_are_listed_by_version_newest_first(project: Path) -> None:
    headings = re.findall(r"^## (.*)$", (project / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    versions = [re.fullmatch(r"(\d+)\.(\d+)\.(\d+)(?: \(.*\))?", heading) for heading in headings]
    assert all(versions), headings
    numbers = [tuple(map(int, version.groups())) for version in versions if version]
    assert numbers == sorted(set(numbers), reverse=True)
