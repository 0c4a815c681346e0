"""Devices in MicroPython that a test drives by calls, as it does those of mtjlearn.inprocess: the tests of the C device run with
them too.
"""

from __future__ import annotations

import itertools
import subprocess
import tempfile
import weakref
from pathlib import Path

import numpy as np
from micropython_support import unix_interpreter
from numpy.typing import NDArray

from mtjlearn.inprocess.device import TRANSMIT, TURNS, DeviceNoise, Preset
from mtjlearn.wire.messages import ResetCause


class Stepper:
    """The process in which the devices are.

    Args:
        folder: an empty one, for the sources.
        viper: as for micropython_support.unix_interpreter().

    Raises:
        LookupError: MicroPython is missing; the text says what to install.
    """

    def __init__(self, folder: Path, *, viper: bool = True) -> None:
        interpreter = unix_interpreter(folder, viper=viper)
        if isinstance(interpreter, str):
            raise LookupError(interpreter)
        command = [*interpreter.command[:-1], "heapsize=256m", str(folder / "stepped_device.py")]
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True, bufsize=1, cwd=folder
        )
        self.numbers = itertools.count()

    def ask(self, *words: object) -> str:
        """The answer to a line; an exception in MicroPython fails."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(*words, file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer.startswith("="):
            self._errors.seek(0)
            raise AssertionError(f"{words[0]}: {answer.strip()}\n{self._errors.read()[-3000:]}")
        return answer[1:].strip()

    def drop(self, number: int) -> None:
        """Forgets a device, if the process has not ended."""
        if self._process.poll() is None:
            self.ask("drop", number)

    def close(self) -> None:
        """Ends it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()
        self._errors.close()


class SteppedDevice:
    """One device; the arguments and methods are those of mtjlearn.inprocess.device.InProcessDevice. Its nonvolatile memory is
    files, which are always ready.

    Args:
        stepper: of the class, set before any device is made.
    """

    stepper: Stepper

    def __init__(
        self,
        *,
        seed: int = 1,
        codes_per_step: int = 0,
        noise: DeviceNoise = DeviceNoise.SMTJ,
        preset: Preset = Preset.RECORDING,
        adc_bits: int = 10,
        adc_rate: int = 9615,
        adc_reference: int = 1100,
        arena: int = 65536,
        max_payload: int = 240,
        receive_window: int = 4096,
        memory_bytes: int = 16384,
        memory_block: int = 1,
        memory_latency: int = 0,
        real_time: bool = False,
    ) -> None:
        options = {name: int(value) for name, value in locals().items() if name not in ("self", "memory_latency")}
        self.memory_bytes = memory_bytes
        self._number = next(self.stepper.numbers)
        self._ask("new", *(f"{name}={value}" for name, value in options.items()))
        weakref.finalize(self, self.stepper.drop, self._number)

    def push(self, data: bytes) -> None:
        """Bytes from the host arrive."""
        if data:
            self._ask("push", data.hex())

    def poll(self, turns: int = TURNS) -> int:
        """Lets the device work until it has nothing to do, at most this many turns; returns how many it took."""
        return int(self._ask("poll", turns))

    def take(self, most: int = TRANSMIT) -> bytes:
        """What the device has sent."""
        return bytes.fromhex(self._ask("take", most))

    def exchange(self, data: bytes) -> bytes:
        """Pushes bytes, lets the device work and takes what it sends."""
        self.push(data)
        self.poll()
        return self.take()

    def set_room(self, count: int) -> None:
        """Bytes that may wait for the host."""
        self._ask("room", count)

    def set_micros(self, micros: int) -> None:
        """Sets the clock."""
        self._ask("micros", micros % 2**32)

    def feed(self, codes: NDArray[np.integer]) -> None:
        """ADC codes arrive."""
        self._ask("feed", _hex(codes))

    def queue(self, codes: NDArray[np.integer]) -> None:
        """ADC codes arrive step by step."""
        self._ask("queue", _hex(codes))

    @property
    def queued(self) -> int:
        """Codes of queue() that have not arrived yet."""
        return int(self._ask("queued"))

    def set_noise(self, noise: DeviceNoise) -> None:
        """Changes what is at the pin."""
        self._ask("noise", int(noise))

    def set_analog(self, pin: int, code: int) -> None:
        """Another analog pin gives this code."""
        self._ask("analog", pin, code)

    @property
    def files(self) -> dict[str, bytes]:
        """The nonvolatile memory."""
        pairs = (pair.split("=") for pair in self._ask("files").split())
        return {name: bytes.fromhex(content) for name, content in pairs}

    @files.setter
    def files(self, files: dict[str, bytes]) -> None:
        self._ask("keep", *(f"{name}={content.hex()}" for name, content in files.items()))

    @property
    def memory(self) -> bytes:
        """All files in one piece: a line with name and bytes, then the contents. It may be set again, also with other contents."""
        return b"".join(f"{name} {len(content)}\n".encode() + content for name, content in self.files.items())

    @memory.setter
    def memory(self, contents: bytes) -> None:
        files = {}
        while contents:
            head, _, contents = contents.partition(b"\n")
            name, count = head.decode().split()
            files[name], contents = contents[: int(count)], contents[int(count) :]
        self.files = files

    def refuse_writes(self, error: int) -> None:
        """The file system refuses writes with this error from now on; 0: not any more."""
        self._ask("refuse", error)

    @property
    def refused_writes(self) -> int:
        """Writes that the file system has refused."""
        return int(self._ask("refused"))

    @property
    def memory_writes(self) -> int:
        """Writes so far; an emptied, a removed and a flushed file count as one each."""
        return int(self._ask("writes"))

    def cut_power(self, after_writes: int, seed: int = 0) -> None:
        """The n-th write from now is the last, and torn in a way that the seed chooses (cut_storage.py); 0: none is."""
        self._ask("cut", after_writes, seed)

    @property
    def is_dead(self) -> bool:
        """Whether the power was cut."""
        return self._ask("dead") == "1"

    def restart(self, cause: ResetCause = ResetCause.POWER_ON) -> None:
        """The device starts again."""
        self._ask("restart", int(cause))

    @property
    def boots(self) -> int:
        """Starts of the device."""
        return int(self._ask("boots"))

    def _ask(self, word: str, *rest: object) -> str:
        return self.stepper.ask(word, self._number, *rest)


def _hex(codes: NDArray[np.integer]) -> str:
    return np.ascontiguousarray(codes, dtype="<u2").tobytes().hex()
