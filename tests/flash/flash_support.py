"""A stand-in for PlatformIO that prints what the real one and its tools print, and ports as pyserial lists them."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

SIZES = """\
Checking size .pio/build/uno/firmware.elf
Advanced Memory Usage is available via "PlatformIO Home > Project Inspect"
RAM:   [=======   ]  70.2% (used 1438 bytes from 2048 bytes)
Flash: [=====     ]  51.9% (used 16754 bytes from 32256 bytes)
Building .pio/build/uno/firmware.hex
"""
BUILDING = "Compiling .pio/build/uno/src/main.c.o\nLinking .pio/build/uno/firmware.elf\n" + SIZES
UPLOADING = BUILDING + "Looking for upload port...\nUploading .pio/build/uno/firmware.hex\n"

NOT_IN_SYNC = """\
avrdude: stk500_recv(): programmer is not responding
avrdude: stk500_getsync() attempt 10 of 10: not in sync: resp=0x00
avrdude done.  Thank you.
*** [upload] Error 1
"""
NOT_IN_SYNC_7 = """\
avrdude error: programmer is not responding
avrdude warning: attempt 10 of 10: not in sync: resp=0x00
avrdude error: unable to open programmer arduino on port /dev/ttyACM7
*** [upload] Error 1
"""
WRONG_CHIP = """\
avrdude: AVR device initialized and ready to accept instructions
Reading | ################################################## | 100% 0.00s
avrdude: Device signature = 0x1e9801 (probably m2560)
avrdude: Expected signature for ATmega328P is 1E 95 0F
         Double check chip, or use -F to override this check.
*** [upload] Error 1
"""
FORBIDDEN = """\
avrdude: ser_open(): can't open device "/dev/ttyACM7": Permission denied
*** [upload] Error 1
"""
MISMATCH = """\
avrdude: verification error, first mismatch at byte 0x0400
         0x5a != 0xff
avrdude: verification error; content mismatch
*** [upload] Error 1
"""
WRONG_CHIP_7 = """\
avrdude: AVR device initialized and ready to accept instructions
avrdude: device signature = 1E 98 01 (ATmega2560, ATmega2561, M2560)
avrdude error: expected signature for ATmega328P is 1E 95 0F
        - double check chip or use -F to carry on regardless
*** [upload] Error 1
"""
VANISHED = """\
avrdude: AVR device initialized and ready to accept instructions
Writing | ##############
avrdude: ser_send(): write error: sorry no info avail
avrdude: stk500_recv(): programmer is not responding
*** [upload] Error 1
"""
VANISHED_7 = """\
avrdude error: ser_send(): write error: Input/output error
avrdude error: programmer is not responding
avrdude error: unable to open programmer arduino on port /dev/ttyACM7
*** [upload] Error 1
"""
VANISHED_ESP = """\
Writing at 0x00010000... (12 %)
termios.error: (71, 'Protocol error')
*** [upload] Error 1
"""
NOISY = """\
Connecting....
A fatal error occurred: Invalid head of packet (0x08): Possible serial noise or corruption.
*** [upload] Error 2
"""
NO_RP = """\
No accessible RP-series devices in BOOTSEL mode were found.
*** [upload] Error 249
"""
NO_ACCESS_RP = """\
No accessible RP-series devices in BOOTSEL mode were found.

but:

RP2040 device at bus 1, address 9 appears to be a RP-series device in BOOTSEL mode, but picotool was unable to connect.
*** [upload] Error 249
"""
FULL = "OSError: [Errno 28] No space left on device\n*** [upload] Error 1\n"
FULL_COMPILER = """\
fatal error: error writing to .pio/build/uno/main.s: No space left on device
compilation terminated.
*** [.pio/build/uno/src/main.c.o] Error 1
"""
WARNING = "tools.c:3:1: warning: fatal error: is only a word of a warning\n"
NO_DFU = """\
dfu-util 0.11-arduino4
No DFU capable USB device available
*** [upload] Error 74
"""
NO_BOSSA = """\
No device found on ttyACM7
*** [upload] Error 1
"""
NO_PICO = """\
No accessible RP2040/RP2350 devices in BOOTSEL mode were found.
*** [upload] Error 249
"""
NO_ESP = """\
A fatal error occurred: Failed to connect to ESP32: Wrong boot mode detected (0x13)! The chip needs to be in download mode.
*** [upload] Error 2
"""
OTHER_ESP = """\
A fatal error occurred: This chip is ESP32-S3 not ESP32. Wrong --chip argument?
*** [upload] Error 2
"""
NO_REGISTRY = """\
Processing uno (platform: atmelavr; board: uno)
Platform Manager: Installing atmelavr
HTTPClientError:
"""
NO_TOOL = "sh: 1: avrdude: not found\n*** [upload] Error 127\n"
DOES_NOT_COMPILE = """\
Compiling .pio/build/uno/src/main.c.o
firmware/boards/uno/main.c:12:5: error: expected ';' before '}' token
*** [.pio/build/uno/src/main.c.o] Error 1
"""
DOES_NOT_FIT = """\
Linking .pio/build/uno/firmware.elf
avr-ld: address 0x800a10 of firmware.elf section `.bss' is not within region `data'
*** [.pio/build/uno/firmware.elf] Error 1
"""


@dataclass
class Port:
    """As pyserial lists a port."""

    device: str
    vid: int | None = None
    pid: int | None = None
    serial_number: str | None = None
    product: str | None = None
    description: str = "n/a"


def fake_platformio(folder: Path, output: str, code: int = 0, seconds: float = 0.0) -> list[str]:
    """A command that prints this, waits, writes its arguments and build flags to ``asked.json`` and ends with this code."""
    program = folder / "platformio.py"
    program.write_text(
        dedent(f"""\
        import json, os, sys, time
        asked = {{"arguments": sys.argv[1:], "flags": os.environ.get("PLATFORMIO_BUILD_FLAGS")}}
        open({str(folder / "asked.json")!r}, "w").write(json.dumps(asked))
        print({output!r}, end="", flush=True)
        time.sleep({seconds})
        sys.exit({code})
        """)
    )
    return [sys.executable, str(program)]


def asked(folder: Path) -> tuple[Sequence[str], str]:
    """Arguments and build flags that the stand-in got."""
    found = json.loads((folder / "asked.json").read_text())
    return found["arguments"], found["flags"]
