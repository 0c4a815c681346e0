"""Which file each target fills. A target is one function from the protocol to a file's text."""

from __future__ import annotations

from collections.abc import Callable

from generator.c import c_header, fuzz_header
from generator.definition import Protocol
from generator.micropython import micropython_module
from generator.numerics_tables import anp_tables, micropython_tables
from generator.python import python_module

TARGETS: dict[str, Callable[[Protocol], str]] = {
    "firmware/lib/wire/src/messages.h": c_header,
    "host/mtjlearn/wire/messages.py": python_module,
    "firmware/micropython/messages.py": micropython_module,
    "tests/fuzz/fuzz_messages.h": fuzz_header,
    "firmware/lib/anp/src/anp_tables.h": lambda protocol: anp_tables(),
    "firmware/micropython/tables.py": lambda protocol: micropython_tables(),
}
