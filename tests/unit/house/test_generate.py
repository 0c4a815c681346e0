"""The generated sources: up to date, the same on both sides of the wire, and true to the protocol and the tables."""

from __future__ import annotations

import math
import re
import shutil
import struct
import subprocess
import sys
import tomllib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from generator.definition import ProtocolError, load
from generator.targets import TARGETS
from hypothesis import given
from hypothesis import strategies as st
from places import PROJECT

from mtjlearn import network
from mtjlearn.wire import messages
from mtjlearn.wire.layout import Layout

WIRE = "firmware/lib/wire/src"
DEFINITION = tomllib.loads((PROJECT / "shared" / "protocol.toml").read_text(encoding="utf-8"))
MESSAGES = sorted(messages.MESSAGES.values(), key=lambda message: message.TYPE)
COMMANDS = {name: entry for name, entry in DEFINITION["messages"].items() if entry["direction"] == "host" and name != "HELLO"}
TAILS = {"bytes", "i16[]", "u16[]"}
SCALARS = {"u8": (0, 2**8 - 1), "u16": (0, 2**16 - 1), "u32": (0, 2**32 - 1), "u64": (0, 2**64 - 1)}


@pytest.fixture
def text() -> str:
    return (PROJECT / "shared" / "protocol.toml").read_text(encoding="utf-8")


# --- the files ---


def test_committed_files_are_up_to_date(text: str) -> None:
    protocol = load(text)
    for name, emit in TARGETS.items():
        kept = (PROJECT / name).read_text(encoding="utf-8")
        assert kept == emit(protocol), f"{name} is out of date: run python shared/generate.py"


@pytest.mark.thorough
def test_check_names_a_stale_file_and_leaves_it(tmp_path: Path) -> None:
    shutil.copytree(PROJECT / "shared", tmp_path / "shared")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        # -S: the generator needs nothing but the standard library.
        command = [sys.executable, "-S", "-E", str(tmp_path / "shared" / "generate.py"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert run().returncode == 0
    assert run("--check").returncode == 0
    stale = tmp_path / next(iter(TARGETS))
    stale.write_text("changed", encoding="utf-8")
    checked = run("--check")
    assert checked.returncode == 1
    assert str(stale.relative_to(tmp_path)) in checked.stdout
    assert stale.read_text(encoding="utf-8") == "changed"


def test_schema_covers_what_is_on_the_wire_and_nothing_else(text: str) -> None:
    schema = load(text).schema
    assert schema == messages.SCHEMA
    assert load("# a comment\n" + text.replace('doc = "eta"', 'doc = "rate"')).schema == schema
    for words in ('answer = "CURVE"', 'needs = ["saved"]', "writes_memory = true", 'feature = "autonomous"', 'names = "error", '):
        assert words in text
        assert load(text.replace(words, "")).schema == schema
    for old, new in (
        ('name = "sigma", type = "u16"', 'name = "sigma", type = "u32"'),
        ('name = "sigma"', 'name = "deviation"'),
        ("max = 4095", "max = 4096"),
        ("type = 0x06", "type = 0x26"),
        ("TOO_LARGE = 5", "TOO_LARGE = 13"),
        ("max_payload = 240", "max_payload = 230"),
        ('unit = "2^-28", doc = "eta"', 'unit = "2^-24", doc = "eta"'),
    ):
        assert old in text
        assert load(text.replace(old, new)).schema != schema


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('name = "crc", type = "u32"', 'name = "crc", type = "bytes"', "SET_BLOB"),
        ('name = "seed", type = "u32"', 'name = "seed", type = "u24"', "CONFIGURE.seed"),
        ('enum = "loss"', 'enum = "losses"', "CONFIGURE.loss"),
        ('unit = "mV"', 'units = "mV"', "WELCOME.adc_reference"),
        ("type = 0x02", "type = 0x01", "same type"),
        ("char[12]", "char[40]", "WELCOME"),
        ('answer = "CURVE"', 'answer = "CURVES"', "GET_CURVE: its answer CURVES is not a message from device to host"),
        ('answer = "CURVE"', 'answer = "HALT"', "GET_CURVE: its answer HALT is not a message from device to host"),
        ('needs = ["network"]', 'needs = ["net"]', "PREDICT: [needs] has no net"),
        ('feature = "autonomous"', 'feature = "alone"', "DEFINE_DATASET: [features] has no alone"),
        ("writes_memory = true", "write_memory = true", "SET_BLOB: unknown key write_memory"),
        ("type = 0x8F\n", 'type = 0x8F\nfeature = "autonomous"\n', "CURVE: only a command has feature"),
        ("type = 0x18", "type = 0x98", "GET_CHECKPOINT: the types of direction host are 0x01 .. 0x7F"),
        ('names = "error"', 'names = "errors"', "STATUS.last_error: no enum named errors"),
        ('unit = "mV"', 'numbered = true, unit = "mV"', "WELCOME.adc_reference: only the values of an open field"),
    ],
)
def test_a_definition_that_contradicts_itself_is_refused(text: str, old: str, new: str, says: str) -> None:
    assert old in text
    with pytest.raises(ProtocolError, match=re.escape(says)):
        load(text.replace(old, new))


# --- tables (numerics.md, section 9), proved with whole numbers only ---


def table(name: str) -> list[int]:
    text = (PROJECT / "firmware/lib/anp/src/anp_tables.h").read_text(encoding="utf-8")
    body = re.search(rf"{name}\[67\] ANP_FLASH = {{(.*?)}};", text, re.DOTALL)
    assert body
    values = [int(number) for number in body[1].replace(",", " ").split()]
    return values[:65] + [value - 2**16 for value in values[65:]]


def test_exp2neg_table_is_rounded_to_nearest() -> None:
    values = table("anp_exp2neg_table")
    assert len(values) == 67
    for i, value in enumerate(values):
        # |value - (line - power)| <= 1/2 for the line 2^20 (1 - i/128) and the power 2^(20 - i/64): twice it, to the power 64
        line, power = 2**21 - i * 2**14, 2 ** (21 * 64 - i)
        assert (line - 2 * value - 1) ** 64 <= power <= (line - 2 * value + 1) ** 64


def test_log2_table_is_rounded_to_nearest() -> None:
    values = table("anp_log2_table")
    assert len(values) == 67
    for i, value in enumerate(values):
        low, high = log2_bounds(Fraction(64 + i, 64))
        line = Fraction(i, 64)
        assert value - Fraction(1, 2) <= (low - line) * 2**19
        assert (high - line) * 2**19 <= value + Fraction(1, 2)


def log2_bounds(x: Fraction, digits: int = 60) -> tuple[Fraction, Fraction]:
    """log2(x) for x >= 1 from below and above, a bit at a time by squaring, in intervals of 200 bits."""
    whole = math.floor(math.log2(x))
    low = high = x / 2**whole
    result = Fraction(whole)
    for place in range(1, digits + 1):
        low, high = Fraction(math.floor(low * low * 2**200), 2**200), Fraction(math.ceil(high * high * 2**200), 2**200)
        if low >= 2:
            low, high, result = low / 2, high / 2, result + Fraction(1, 2**place)
        assert high < 2  # else the interval is too wide to tell
    return result, result + Fraction(1, 2**digits)


# --- C and Python agree ---


@pytest.fixture(scope="module")
def c_view(compile_c: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """Every constant, offset and size of messages.h as the compiler sees it."""
    header = (PROJECT / WIRE / "messages.h").read_text(encoding="utf-8")
    constants = re.findall(r"^ +(WIRE_\w+) = ", header, re.MULTILINE)
    constants += re.findall(r"^#define (WIRE_\w+) [\da-fx]", header, re.MULTILINE)
    expressions = {name: f"(unsigned long long)({name})" for name in constants}
    for entry, message in DEFINITION["messages"].items():
        tag = f"struct wire_{entry.lower()}"
        for field in message["fields"]:
            if field["type"] not in TAILS:
                expressions[f"{entry}.{field['name']}"] = f"offsetof({tag}, {field['name']})"
                expressions[f"{entry}.{field['name']}.size"] = f"sizeof((({tag} *)0)->{field['name']})"
    prints = "\n".join(f'    printf("{name} %llu\\n", (unsigned long long){code});' for name, code in expressions.items())
    source = tmp_path_factory.mktemp("layout") / "layout.c"
    source.write_text(
        f'#include <stddef.h>\n#include <stdio.h>\n#include "messages.h"\nint main(void)\n{{\n{prints}\n}}\n',
        encoding="utf-8",
    )
    output = subprocess.run([compile_c([source], [WIRE])], capture_output=True, text=True, check=True).stdout
    return {name: int(value) for name, value in (line.split() for line in output.splitlines())}


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.NAME)
def test_every_field_is_at_the_same_place_in_c_and_in_python(message: type[Layout], c_view: dict[str, int]) -> None:
    entry = DEFINITION["messages"][message.NAME]
    assert message.TYPE == entry["type"] == c_view[f"WIRE_TYPE_{message.NAME}"]
    assert message.LAYOUT.size == c_view[f"WIRE_SIZE_{message.NAME}"]
    codes = re.findall(r"\d*[A-Za-z]", message.LAYOUT.format)
    fixed = [field for field in entry["fields"] if field["type"] not in TAILS]
    assert len(codes) == len(fixed)
    for place, (field, code) in enumerate(zip(fixed, codes, strict=True)):
        name = f"{message.NAME}.{field['name']}"
        assert c_view[name] == struct.calcsize("<" + "".join(codes[:place]))
        assert c_view[f"{name}.size"] == struct.calcsize("<" + code)


@pytest.mark.parametrize("name", COMMANDS)
def test_fields_have_their_numbers_and_the_open_one_its_step(name: str, c_view: dict[str, int]) -> None:
    fields = DEFINITION["messages"][name]["fields"]
    for number, field in enumerate(fields, 1):
        assert c_view[f"WIRE_FIELD_{name}_{field['name'].upper()}"] == number
    # The bits that are 0 in the length of the open field.
    expected = {"bytes": 0, "i16[]": 1, "u16[]": 1}.get(fields[-1]["type"] if fields else "", 0xFF)
    assert c_view[f"WIRE_OPEN_{name}"] == expected


def test_the_lists_in_c_hold_every_command_once(compile_c: Callable[..., Path], tmp_path: Path) -> None:
    lists = {feature: f"WIRE_COMMANDS_{feature.upper()}" for feature in DEFINITION["features"]} | {"": "WIRE_COMMANDS"}
    rows = (
        f'#define ROW(NAME, name, needs) printf("{feature} %s %s %d\\n", #NAME, #name, needs);\n{macro}(ROW)\n#undef ROW\n'
        for feature, macro in lists.items()
    )
    source, body = tmp_path / "lists.c", "".join(rows)
    source.write_text(f'#include <stdio.h>\n#include "messages.h"\nint main(void)\n{{\n{body}}}\n', encoding="utf-8")
    output = subprocess.run([compile_c([source], [WIRE])], capture_output=True, text=True, check=True).stdout
    bits = {need: 1 << bit for bit, need in enumerate(DEFINITION["needs"])}
    expected = [
        f"{entry.get('feature', '')} {name} {name.lower()} {sum(bits[need] for need in entry.get('needs', []))}"
        for name, entry in COMMANDS.items()
    ]
    assert sorted(output.splitlines()) == sorted(expected)


def test_the_lists_in_python_are_those_of_the_definition() -> None:
    types = {name: entry["type"] for name, entry in DEFINITION["messages"].items()}
    assert {kind: answer.NAME for kind, answer in messages.ANSWERS.items()} == {
        types[name]: entry["answer"] for name, entry in COMMANDS.items() if "answer" in entry
    }
    assert {types[name] for name, entry in COMMANDS.items() if entry.get("writes_memory")} == messages.WRITERS
    assert {types[name]: entry["feature"] for name, entry in COMMANDS.items() if "feature" in entry} == messages.FEATURE_OF
    numbered = {types[name] for name, entry in COMMANDS.items() for field in entry["fields"] if "numbered" in field}
    assert numbered == messages.NUMBERED
    named = {
        (message.TYPE, field["name"]): "".join(part.capitalize() for part in field.get("names", field.get("enum")).split("_"))
        for message in MESSAGES
        for field in DEFINITION["messages"][message.NAME]["fields"]
        if "names" in field or "enum" in field
    }
    assert {(kind, name): names.__name__ for kind, fields in messages.NAMES.items() for name, names in fields.items()} == named


def test_constants_are_the_same_in_c_and_in_python(c_view: dict[str, int]) -> None:
    assert c_view["WIRE_SCHEMA"] == messages.SCHEMA
    for name, value in DEFINITION["protocol"].items():
        assert c_view[f"WIRE_{name.upper()}"] == getattr(messages, name.upper()) == value
    for group, members in {**DEFINITION["enums"], **DEFINITION["flags"]}.items():
        names = getattr(messages, "".join(part.capitalize() for part in group.split("_")))
        assert {member.name: member.value for member in names} == members
        for name, value in members.items():
            assert c_view[f"WIRE_{group.upper()}_{name}"] == value


# --- MicroPython agrees ---


@pytest.fixture(scope="module")
def micropython_view() -> dict[str, Any]:
    """The names of the module for MicroPython."""
    text = (PROJECT / "firmware" / "micropython" / "messages.py").read_text(encoding="utf-8")
    names: dict[str, Any] = {"const": lambda value: value}
    exec(compile(text.replace("from micropython import const\n", ""), "messages.py", "exec"), names)
    return names


def test_constants_are_the_same_in_c_and_in_micropython(c_view: dict[str, int], micropython_view: dict[str, Any]) -> None:
    for name, value in c_view.items():
        if name.startswith("WIRE_") and not name.startswith("WIRE_OPEN_") and not name.startswith("WIRE_SIZE_"):
            assert micropython_view[name.removeprefix("WIRE_")] == value, name


def test_numbers_that_viper_needs_as_literals_are_those_of_the_protocol() -> None:
    texts = (path.read_text(encoding="utf-8") for path in (PROJECT / "firmware" / "micropython").glob("*.py"))
    found = [number for text in texts for number in re.findall(r"^_?(?:NOISE_)?BUFFER = const\((\d+)\)", text, re.MULTILINE)]
    assert len(found) > 3
    assert set(found) == {str(DEFINITION["protocol"]["noise_buffer"])}


@pytest.mark.parametrize("name", DEFINITION["messages"])
def test_layouts_and_the_table_of_commands_are_the_same_in_micropython(
    name: str, c_view: dict[str, int], micropython_view: dict[str, Any]
) -> None:
    entry = DEFINITION["messages"][name]
    size = c_view[f"WIRE_SIZE_{name}"]
    if size:
        assert micropython_view[f"SIZE_{name}"] == size == struct.calcsize(micropython_view[f"LAYOUT_{name}"])
    if entry["type"] in messages.MESSAGES and size:
        assert micropython_view[f"LAYOUT_{name}"] == messages.MESSAGES[entry["type"]].LAYOUT.format
    if name in COMMANDS:
        table = micropython_view["COMMANDS_" + entry["feature"].upper() if "feature" in entry else "COMMANDS"]
        needs = sum(c_view[f"WIRE_NEEDS_{need.upper()}"] for need in entry.get("needs", []))
        assert table[entry["type"]] == (name.lower(), size, c_view[f"WIRE_OPEN_{name}"], needs)


# --- payloads ---


def field_values(field: dict[str, Any]) -> st.SearchStrategy[Any]:
    if field["type"] == "bytes":
        return st.binary(max_size=100)
    if field["type"] in ("i16[]", "u16[]"):
        low, high = (-(2**15), 2**15 - 1) if field["type"] == "i16[]" else (0, 2**16 - 1)
        return st.lists(st.integers(low, high), max_size=50).map(lambda values: np.array(values, dtype=np.int64))
    if field["type"].startswith("char"):
        return st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=12)
    return st.integers(*field_limits(field))


def field_limits(field: dict[str, Any]) -> tuple[int, int]:
    low, high = SCALARS[field["type"]]
    if "enum" in field:
        values = DEFINITION["enums"][field["enum"]].values()
        low, high = min(values), max(values)
    if "flags" in field:
        high = sum(DEFINITION["flags"][field["flags"]].values())
    return field.get("min", low), field.get("max", high)


def examples_of(message: type[Layout]) -> st.SearchStrategy[Layout]:
    fields = DEFINITION["messages"][message.NAME]["fields"]
    return st.builds(message, **{field["name"]: field_values(field) for field in fields})


@given(st.sampled_from(MESSAGES).flatmap(examples_of))
def test_messages_survive_the_way_to_bytes_and_back(message: Layout) -> None:
    payload = message.pack()
    back = type(message).unpack(payload)
    assert back == message
    assert back.pack() == payload


@given(st.sampled_from(MESSAGES), st.binary(max_size=240))
def test_any_payload_is_a_message_or_refused(message: type[Layout], payload: bytes) -> None:
    tail = message.TAIL[0] != ""
    step = 2 if message.TAIL[1] else 1
    rest = len(payload) - message.LAYOUT.size
    if rest == 0 or (tail and rest > 0 and rest % step == 0):
        message.unpack(payload)
    else:
        with pytest.raises(messages.MessageError, match=message.NAME):
            message.unpack(payload)


def limits() -> list[tuple[type[Layout], str, int]]:
    found = []
    for message in MESSAGES:
        for field in DEFINITION["messages"][message.NAME]["fields"]:
            if field["type"] in SCALARS:
                low, high = field_limits(field)
                found += [(message, field["name"], low - 1), (message, field["name"], high + 1)]
    return found


@pytest.mark.parametrize(("message", "name", "value"), limits())
def test_a_value_out_of_range_is_refused_by_name(message: type[Layout], name: str, value: int) -> None:
    values: dict[str, Any] = {}
    for field in DEFINITION["messages"][message.NAME]["fields"]:
        if field["type"] in SCALARS:
            values[field["name"]] = field_limits(field)[0]
        else:
            values[field["name"]] = "" if field["type"].startswith("char") else np.array([], dtype=np.int16)
    message(**values).pack()
    with pytest.raises(ValueError, match=rf"{message.NAME}: {name} is {value}"):
        message(**{**values, name: value}).pack()


def test_open_fields_and_texts_are_checked() -> None:
    with pytest.raises(ValueError, match=r"TRAIN: samples accepts whole numbers -32768 \.\. 32767"):
        messages.Train(np.array([32768])).pack()
    with pytest.raises(ValueError, match="INJECT: codes accepts whole numbers"):
        messages.Inject(np.array([1.5])).pack()  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="TRAIN: 242 bytes are more than 240"):
        messages.Train(np.zeros(121, dtype=np.int16)).pack()
    welcome = {field["name"]: 0 for field in DEFINITION["messages"]["WELCOME"]["fields"]}
    for board in ("thirteen_long", "µ"):
        with pytest.raises(ValueError, match="WELCOME: board accepts at most 12 ASCII characters"):
            messages.Welcome(**{**welcome, "board": board}).pack()  # type: ignore[arg-type]


def test_messages_differ_when_a_field_or_the_class_does() -> None:
    assert messages.SetRates(1, 2) != messages.SetRates(1, 3)
    assert messages.Train(np.array([1, 2])) != messages.Train(np.array([1, 3]))
    assert messages.GetMetrics() != messages.GetStatus()
    assert messages.Train(np.array([1, 2])) == messages.Train(np.array([1, 2], dtype=np.int16))


def test_network_and_wire_name_the_same_values() -> None:
    # Networks are described without the wire (mtjlearn.network knows nothing of it), so these enumerations stand twice.
    for described, sent in (
        (network.Loss, messages.Loss),
        (network.WeightFormat, messages.WeightFormat),
        (network.Rounding, messages.Rounding),
    ):
        assert {entry.name: int(entry) for entry in described} == {entry.name: int(entry) for entry in sent}
