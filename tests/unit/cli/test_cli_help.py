"""--help of every command: quick, since nothing heavy is imported for it, and right about what is done unless asked otherwise."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from mtjlearn.cli import commands, main
from mtjlearn.experiments.cost_to_target import SEEDS
from mtjlearn.wire.linklog import MOST

HEAVY = [
    *("cffi", "hmmlearn", "importlib.metadata", "joblib", "matplotlib", "numpy"),
    *("pandas", "pyarrow", "rich", "scipy", "serial", "sklearn", "starlette", "uvicorn"),
]
"""What takes longer to import than all that --help needs."""
PROBE = """
import json, sys
from mtjlearn.cli import main
imported = {}
for words, heavy in json.loads(sys.argv[1]):
    try:
        main([*words, "--help"])
    except SystemExit:
        imported[" ".join(words)] = [name for name in heavy if name in sys.modules]
print(json.dumps(imported))
"""


def words_of(command: click.Command, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words that name a command, and those of its subcommands."""
    yield before
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from words_of(inner, (*before, name))


def test_help_imports_nothing_heavy() -> None:
    asked = [[words, HEAVY] for words in words_of(main)]
    assert len(asked) > 20
    run = subprocess.run([sys.executable, "-c", PROBE, json.dumps(asked)], capture_output=True, text=True, check=True)
    imported: dict[str, list[str]] = json.loads(run.stdout.splitlines()[-1])
    assert len(imported) == len(asked)
    first = next(((words, heavy) for words, heavy in imported.items() if heavy), None)  # what comes after it has the same
    assert first is None, f"mtjlearn {first[0]} --help imports {', '.join(first[1])}: import it in the function that works with it"


@pytest.mark.filterwarnings("error:The parameter")
@pytest.mark.parametrize("words", list(words_of(main)), ids=" ".join)
def test_no_option_is_there_twice(words: tuple[str, ...]) -> None:
    done = CliRunner().invoke(main, [*words, "--help"])
    assert done.exit_code == 0, done.exception


def test_every_module_of_the_package_is_a_command_and_listed() -> None:
    found = CliRunner().invoke(main, ["--help"])
    assert found.exit_code == 0, found.output
    lines = found.stdout.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in lines if line[2:3].strip()] == commands()
    assert commands()[:2] == ["demo", "train"]


@pytest.mark.parametrize(
    ("words", "told"),
    [(["train"], f"link.log; {MOST} unless given."), (["experiment", "cost-to-target"], f"measured; {SEEDS} unless given.")],
    ids=["link log", "seeds"],
)
def test_numbers_that_help_tells_are_those_that_are_used(words: list[str], told: str) -> None:
    text = CliRunner().invoke(main, [*words, "--help"]).stdout
    assert told in " ".join(text.split())


@pytest.mark.parametrize("words", list(words_of(main)), ids=" ".join)
def test_an_option_that_names_what_0_does_takes_it(words: tuple[str, ...]) -> None:
    command: click.Command = main
    for word in words:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), word)
        assert found is not None
        command = found
    for option in command.params:
        if isinstance(option, click.Option) and "; 0: " in (option.help or ""):
            assert isinstance(option.type, click.IntRange | click.FloatRange)
            assert option.type.min == 0
            assert not option.type.min_open
