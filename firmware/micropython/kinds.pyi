"""Types that annotations of the modules name and no module can import while it runs: a board has no typing module, and most of
them are above their users. Modules import them below `if False`, which the type checker reads all the same.

A board pays nothing for types: MicroPython keeps no annotations, this file is not copied, and what is flashed lacks the block with
the import. The block stands above all other imports, where the lines that it leaves make the table of line numbers no longer.
"""

from array import array as array
from collections.abc import Callable as Callable
from collections.abc import Container as Container
from collections.abc import Iterator as Iterator
from collections.abc import Sequence as Sequence
from typing import Literal, Protocol
from typing import NoReturn as NoReturn

import virtual.line
from boards.board import Board as Board
from boards.board import Start as Start
from boards.unix import Unix as Unix
from device import Device as Device
from learner import Config as Config
from learner import Network as Network
from machine import ADC as ADC
from machine import Pin as Pin
from noise import Noise as Noise
from noise_limits import Limits as Limits
from slots import Slot as Slot
from training import Training as Training
from virtual.option_table import Options as Options
from virtual.smtj import Junction as Junction

Halves = array[int] | memoryview
"""16-bit values (halves.py)."""
VirtualLine = virtual.line.Line
Bytes = bytes | bytearray | memoryview
Command = Callable[[Device, memoryview], int]
"""What executes a command: DONE or LATER (session.py)."""

Needs = tuple[str, int, int, int]
"""A row of the tables in messages.py."""
Mode = Literal["rb", "wb"]
"""That a file is opened with."""

class Line(Protocol):
    """What a session needs of a board."""

    def write_room(self) -> int: ...
    def write(self, buffer: bytearray | memoryview, count: int) -> None: ...
    def receive_overruns(self) -> int: ...

class Handler(Protocol):
    """What a session calls."""

    def handle(self, kind: int, payload: memoryview) -> int: ...
    def welcome(self, nonce: int, number: int) -> None: ...
    def opened(self) -> None: ...

class File(Protocol):
    """What storage.py says of files."""

    def __enter__(self) -> File: ...
    def __exit__(self, *error: object) -> None: ...
    def read(self, size: int = ..., /) -> bytes: ...
    def readinto(self, to: bytearray | memoryview, /) -> int: ...
    def write(self, data: Bytes, /) -> int: ...
    def seek(self, offset: int, /) -> int: ...
    def flush(self) -> None: ...
    def close(self) -> None: ...

class Storage(Protocol):
    """As storage.Folder."""

    def open(self, name: str, mode: Mode) -> File: ...
    def remove(self, name: str) -> None: ...

class Converter(Protocol):
    """The ADC of a chip."""

    lost: int
    def take(self, codes: array[int]) -> int: ...

class Port(Protocol):
    """A module of boards/ for a chip."""

    def repl_button(self) -> bool: ...
    def repl_light(self) -> Pin | None: ...

class Stream(Protocol):
    """A client of the virtual board, none of whose methods waits: None says that it would have to."""

    def readinto(self, to: bytearray) -> int | None: ...
    def write(self, data: memoryview) -> int | None: ...
    def close(self) -> None: ...

class Client(Stream, Protocol):
    """One over TCP, or the listener."""

    def send(self, data: memoryview) -> int: ...
    def accept(self) -> tuple[Client, object]: ...
    def setsockopt(self, level: int, name: int, value: int) -> None: ...
    def setblocking(self, waits: bool) -> None: ...
