"""What belongs to a message is all there: whatever is forgotten is named in a sentence, with the file to edit.

The checks read files alone, so that they also run on a copy of the project to which a message was added.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from generator.definition import Message, Protocol, camel, load
from generator.targets import TARGETS
from places import PROJECT

pytestmark = pytest.mark.thorough

BOARD, REFUSALS, TESTS = "host/mtjlearn/board/board.py", "host/mtjlearn/board/refusals.py", "tests/board/test_commands.py"
MICROPYTHON = "firmware/micropython/reports.py"
COMMANDS = "firmware/micropython/commands.py"
ARGUMENTS = "struct device *device, const uint8_t *payload, uint8_t length"
HANDLER = re.compile(rf"^enum wire_result command_(\w+)\({re.escape(ARGUMENTS)}\)\n{{", re.MULTILINE)


def forgotten(root: Path) -> list[str]:
    """One sentence for each thing that is missing in this copy of the project."""
    protocol = load((root / "shared/protocol.toml").read_text(encoding="utf-8"))
    checks = (stale, unhandled, unsent, unhandled_in_micropython, unasked, unused, untested, without_feature)
    return [sentence for check in checks for sentence in check(root, protocol)]


def sources(root: Path, *patterns: str) -> dict[str, str]:
    """Files by their path below the root."""
    paths = sorted(path for pattern in patterns for path in root.glob(pattern))
    return {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def stale(root: Path, protocol: Protocol) -> Iterator[str]:
    for name, emit in TARGETS.items():
        if (root / name).read_text(encoding="utf-8") != emit(protocol):
            yield f"{name} is out of date: run python shared/generate.py"


def handlers(root: Path) -> dict[str, str]:
    """The file of each command's handler."""
    files = sources(root, "firmware/src/**/*.c")
    return {name.upper(): path for path, text in files.items() for name in HANDLER.findall(text)}


def unhandled(root: Path, protocol: Protocol) -> Iterator[str]:
    found = handlers(root)
    commands = [message for feature in ("", *protocol.features) for message in protocol.commands(feature)]
    for message in commands:
        if message.name not in found:
            beside = [found[other.name] for other in protocol.commands(message.feature) if other.name in found]
            where = beside[-1] if beside else "a new file of firmware/src"
            yield f"{message.name} is executed by nothing: write command_{message.name.lower()}() in {where}, or where it belongs"
    for name in sorted(found.keys() - {message.name for message in commands}):
        yield f"command_{name.lower()}() in {found[name]} executes no message: name it in shared/protocol.toml, or remove it"


def unsent(root: Path, protocol: Protocol) -> Iterator[str]:
    text = "".join(sources(root, "firmware/src/**/*.c", "firmware/lib/wire/src/*.c").values())
    found = handlers(root)
    for message in protocol.sent_by("device"):
        if not re.search(rf"\bWIRE_TYPE_{message.name}\b|\bREPORT\({message.name},", text):
            question = next((other for other in protocol.messages if other.answer == message.name), message)
            where = found.get(question.name, "a file of firmware/src")
            yield f"{message.name} is sent by nothing: send it in {where}"


def unhandled_in_micropython(root: Path, protocol: Protocol) -> Iterator[str]:
    files = sources(root, "firmware/micropython/*.py")
    text = "".join(files.values())
    found = {
        name.upper(): path
        for path, text in files.items()
        for name in re.findall(r"^def command_(\w+)\(device\b", text, re.MULTILINE)
    }
    searched = re.findall(r"^    for module in \((.*)\):$", files[COMMANDS], re.MULTILINE)[0].split(", ")
    places = {COMMANDS, *(f"firmware/micropython/{module}.py" for module in searched)}
    for message in (message for message in protocol.messages if message.is_command):
        handler = f"command_{message.name.lower()}"
        if message.name not in found:
            yield f"{message.name} is executed by nothing in MicroPython: write {handler}() in {MICROPYTHON}, or where it belongs"
        elif found[message.name] not in places and not re.search(rf"^    {handler},$", text, re.MULTILINE):
            yield f"{handler}() in {found[message.name]} is not found: name its module in _handlers() of {COMMANDS}"
        if message.answer and not re.search(rf"\bTYPE_{message.answer}\b(?! = )", text):
            yield f"{message.answer} is sent by nothing in MicroPython: send it in {found.get(message.name, MICROPYTHON)}"


def unasked(root: Path, protocol: Protocol) -> Iterator[str]:
    files = sources(root, "host/mtjlearn/wire/*.py")
    (link,) = (path for path, text in files.items() if "def _take(" in text)
    answers = {message.answer for message in protocol.messages}
    for message in protocol.sent_by("device"):
        if message.name not in answers and not re.search(rf"\bmessages\.{camel(message.name)}\b", files[link]):
            yield f"{message.name} is not looked at: name it as `answer` of a message in shared/protocol.toml, or take it in {link}"


def methods(root: Path) -> dict[str, set[tuple[str, str]]]:
    """Of each class of messages, the functions of the client API that name it: pairs of a file and a function."""
    found: dict[str, set[tuple[str, str]]] = {}
    files = sources(root, "host/mtjlearn/board/*.py")
    del files[REFUSALS]  # it names messages whose refusals have texts of their own
    for path, text in files.items():
        _, *parts = re.split(r"^ *def (\w+)\(", text, flags=re.MULTILINE)
        for function, body in zip(parts[::2], parts[1::2], strict=True):
            for word in set(re.findall(r"\w+", body)):
                found.setdefault(word, set()).add((path, function))
    return found


def commands_with_neighbours(protocol: Protocol) -> Iterator[tuple[Message, list[Message]]]:
    """Each command, and the others from the nearest before it on."""
    commands = [message for message in protocol.messages if message.is_command]
    for at, message in enumerate(commands):
        yield message, [*reversed(commands[:at]), *commands[at + 1 :]]


def unused(root: Path, protocol: Protocol) -> Iterator[str]:
    found = methods(root)
    for message, others in commands_with_neighbours(protocol):
        if camel(message.name) not in found:
            where = next(path for other in others for path, _ in sorted(found.get(camel(other.name), ())))
            yield f"{message.name} has no method: write one that sends messages.{camel(message.name)}, e.g. in {where}"


def untested(root: Path, protocol: Protocol) -> Iterator[str]:
    found = methods(root)
    files = {path: text for path, text in sources(root, "tests/**/*.py").items() if not path.endswith(Path(__file__).name)}
    named = {name for text in files.values() for name in re.findall(r"\.(\w+)", text)}
    for message, _ in commands_with_neighbours(protocol):
        if named.isdisjoint({camel(message.name), *(name for _, name in found.get(camel(message.name), ()))}):
            yield f"{message.name} is tested by nothing: call its method in {TESTS}"


def without_feature(root: Path, protocol: Protocol) -> Iterator[str]:
    texts = (root / REFUSALS).read_text(encoding="utf-8")
    files = sources(root, "firmware/src/**/*.[ch]")
    for feature in protocol.features:
        commands = f"WIRE_COMMANDS_{feature.upper()}"
        if f"{commands}(DECLARE)" not in files["firmware/src/handlers.h"]:
            yield f"the commands of the feature {feature} are not declared: add {commands} in firmware/src/handlers.h"
        if not any(commands in text for path, text in files.items() if path != "firmware/src/handlers.h"):
            yield f"the commands of the feature {feature} are in no table: add {commands} in firmware/src/commands.c"
        if not re.search(rf'^    "{feature}": ', texts, re.MULTILINE):
            yield f"nothing is said where the feature {feature} is missing: add it to _LEFT_OUT in {REFUSALS}"


def test_nothing_is_forgotten() -> None:
    found = forgotten(PROJECT)
    assert not found, "\n".join(found)


# --- on a copy: each thing that a new message needs is named, until it is there ---

QUESTION = """
[messages.GET_DUMMY]
type = 0x7F
direction = "host"
doc = "Asks for DUMMY."
answer = "DUMMY"
fields = []
"""
ANSWER = """
[messages.DUMMY]
type = 0xEF
direction = "device"
doc = "For this test."
fields = [{ name = "micros", type = "u32", unit = "us", doc = "since the start, mod 2^32" }]
"""
HANDLES = f"""
enum wire_result command_get_dummy({ARGUMENTS})
{{
    DEVICE_KNOWN(device);
    (void)payload, (void)length;
    struct wire_dummy *message = wire_session_reserve(&device->session, WIRE_SIZE_DUMMY);
    if (!message)
        return WIRE_LATER;
    message->micros = BOARD_DO(device->board, micros);
    wire_session_send(&device->session, WIRE_TYPE_DUMMY, WIRE_SIZE_DUMMY);
    return WIRE_DONE;
}}
"""
HANDLES_IN_MICROPYTHON = '''

def command_get_dummy(device, payload):
    """GET_DUMMY: since the start."""
    if not device.session.reserve(SIZE_DUMMY):
        return LATER
    return _report(device, TYPE_DUMMY, SIZE_DUMMY, LAYOUT_DUMMY, (device.board.micros(),))
'''
METHOD = '''
    def dummy(self) -> int:
        """Microseconds since the start, mod 2^32."""
        return self._ask(messages.GetDummy(), messages.Dummy).micros
'''
TEST = """

def test_the_dummy_goes_on(board: Board) -> None:
    assert board.dummy() < board.dummy()
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of what the checks look at."""
    sides = ("firmware/src", "firmware/lib", "firmware/micropython", "host/mtjlearn/wire", "host/mtjlearn/board")
    for name in ("shared", *sides, "tests/board", "tests/fuzz", "tests/unit"):
        shutil.copytree(PROJECT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "corpus"))
    assert forgotten(tmp_path) == []
    return tmp_path


def append(path: Path, text: str, before: str = "") -> None:
    """Adds to the end of a file, or before a line of it."""
    old = path.read_text(encoding="utf-8")
    assert before in old
    path.write_text(old.replace(before, text + before, 1) if before else old + text, encoding="utf-8")


def generate(root: Path) -> None:
    subprocess.run([sys.executable, root / "shared/generate.py"], check=True, capture_output=True)


def files_left_out(sentences: list[str]) -> list[str]:
    """The sentences without the files that other messages lead to."""
    return [re.sub(r"(?<=in )(firmware/src|host/mtjlearn/board)/\w+\.(?:c|py)", r"\1/...", sentence) for sentence in sentences]


def test_a_new_message_is_asked_for_piece_by_piece(copy: Path) -> None:
    append(copy / "shared/protocol.toml", QUESTION + ANSWER)
    files = [name for name in TARGETS if "tables" not in name]
    expected = [
        *(f"{name} is out of date: run python shared/generate.py" for name in files),
        "GET_DUMMY is executed by nothing: write command_get_dummy() in firmware/src/..., or where it belongs",
        "DUMMY is sent by nothing: send it in a file of firmware/src",
        f"GET_DUMMY is executed by nothing in MicroPython: write command_get_dummy() in {MICROPYTHON}, or where it belongs",
        f"DUMMY is sent by nothing in MicroPython: send it in {MICROPYTHON}",
        "GET_DUMMY has no method: write one that sends messages.GetDummy, e.g. in host/mtjlearn/board/...",
        f"GET_DUMMY is tested by nothing: call its method in {TESTS}",
    ]
    assert files_left_out(forgotten(copy)) == expected
    generate(copy)
    expected = expected[len(files) :]
    assert files_left_out(forgotten(copy)) == expected
    append(copy / "firmware/src/reports.c", HANDLES)
    assert files_left_out(forgotten(copy)) == expected[2:]
    append(copy / MICROPYTHON, HANDLES_IN_MICROPYTHON)
    assert files_left_out(forgotten(copy)) == expected[4:]
    append(copy / BOARD, METHOD, before="\n    # --- learning ---\n")
    assert forgotten(copy) == expected[5:]
    append(copy / TESTS, TEST)
    assert forgotten(copy) == []


def test_a_handler_where_micropython_does_not_look_is_named(copy: Path) -> None:
    append(copy / "shared/protocol.toml", QUESTION + ANSWER)
    generate(copy)
    append(copy / "firmware/micropython/telemetry.py", HANDLES_IN_MICROPYTHON)
    place = "firmware/micropython/telemetry.py is not found: name its module in _handlers() of firmware/micropython/commands.py"
    assert f"command_get_dummy() in {place}" in forgotten(copy)


def test_an_answer_that_is_not_sent_is_named_with_its_handler(copy: Path) -> None:
    append(copy / "shared/protocol.toml", QUESTION + ANSWER)
    generate(copy)
    append(copy / "firmware/src/reports.c", HANDLES.replace("WIRE_TYPE_DUMMY", "WIRE_TYPE_HEALTH"))
    assert "DUMMY is sent by nothing: send it in firmware/src/reports.c" in forgotten(copy)


def test_a_message_of_the_device_that_nobody_reads_is_named(copy: Path) -> None:
    append(copy / "shared/protocol.toml", ANSWER)
    assert any(
        sentence.startswith("DUMMY is not looked at: name it as `answer` of a message in shared/protocol.toml, or take it in host/")
        for sentence in forgotten(copy)
    )


def test_a_handler_without_its_message_is_named(copy: Path) -> None:
    append(copy / "firmware/src/commands.c", HANDLES)
    assert forgotten(copy) == [
        "command_get_dummy() in firmware/src/commands.c executes no message: name it in shared/protocol.toml, or remove it"
    ]


def test_a_new_feature_is_asked_for_piece_by_piece(copy: Path) -> None:
    definition = copy / "shared/protocol.toml"
    append(definition, 'dummies = "for this test"\n', before='autonomous = "')
    append(definition, QUESTION.replace("fields", 'feature = "dummies"\nfields') + ANSWER)
    generate(copy)
    found = forgotten(copy)
    assert "GET_DUMMY is executed by nothing: write command_get_dummy() in a new file of firmware/src, or where it belongs" in found
    expected = [
        "the commands of the feature dummies are not declared: add WIRE_COMMANDS_DUMMIES in firmware/src/handlers.h",
        "the commands of the feature dummies are in no table: add WIRE_COMMANDS_DUMMIES in firmware/src/commands.c",
        "nothing is said where the feature dummies is missing: add it to _LEFT_OUT in host/mtjlearn/board/refusals.py",
    ]
    assert found[-3:] == expected
    append(copy / "firmware/src/handlers.h", "WIRE_COMMANDS_DUMMIES(DECLARE)\n", before="#undef DECLARE")
    append(copy / "firmware/src/commands.c", "    WIRE_COMMANDS_DUMMIES(ROW)\n", before="    WIRE_COMMANDS(ROW)")
    append(copy / REFUSALS, '    "dummies": "use another board",\n', before='    "autonomous": ')
    assert not [sentence for sentence in forgotten(copy) if "feature" in sentence]
