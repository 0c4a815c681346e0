"""Proves contracts of the firmware for all arguments: ``make prove`` (Debian packages frama-c-base, z3 and cvc4).

Frama-C's WP proves the contracts of the files below, that their functions end and that no operation in them has an undefined
result, with sizes of 64 and of 16 bits. A fault that is planted into a copy must not be proved: else the contract says nothing.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
INCLUDES = ("src", "lib/wire/src")
BOUNDS, CRC, FRAME = "src/bounds.c", "lib/wire/src/crc32.c", "lib/wire/src/frame.c"
FILES = {
    BOUNDS: ("-warn-unsigned-overflow",),
    CRC: (),
    FRAME: (),
}
"""With further options: checksums, seeds and places mod 2^16 wrap on purpose, bounds never do."""
MACHINES = ("gcc_x86_64", "gcc_x86_16")
SECONDS, SECONDS_FAULT = 60, 10
"""For each goal and prover, by the clock. The slowest takes 1 s on an idle computer; one that is not proved takes all of it."""
TOOLS = ("frama-c", "why3", "z3", "cvc4")


class Fault(NamedTuple):
    """Text of a function that is replaced in a copy."""

    file: str
    function: str
    right: str
    wrong: str


FAULTS = (
    # Once missing: an offset beyond the blob made the subtraction wrap.
    Fault(BOUNDS, "bounds_chunk", "start <= total && ", ""),
    Fault(BOUNDS, "bounds_chunk", "count <= total - start", "true"),
    Fault(BOUNDS, "bounds_place", "(UINT16_MAX - offset)", "(UINT16_MAX + UINT32_C(1) - offset)"),
    Fault(BOUNDS, "bounds_checkpoint", "(layers + 1u)", "layers"),
    Fault(BOUNDS, "bounds_slot", "(checkpoint_bytes + block - 1)", "checkpoint_bytes"),
    Fault(BOUNDS, "bounds_between", "(2 * slot_bytes)", "slot_bytes"),
    Fault(BOUNDS, "bounds_dataset", "samples * class_bits + 7", "samples * class_bits"),
    Fault(BOUNDS, "bounds_missing", "((samples * bits + 7) / 8)", "((uint16_t)(samples * bits + 7) / 8)"),
    Fault(BOUNDS, "bounds_sample", "(uint32_t)index * sample_bytes", "(index + UINT32_C(1)) * sample_bytes"),
    Fault(BOUNDS, "bounds_part", "count <= inputs - offset", "count <= inputs"),
    Fault(BOUNDS, "bounds_sample_place", "(used + 3) / 4 * 4;\n}\n\nuint32_t bounds_with", "used;\n}\n\nuint32_t bounds_with"),
    Fault(BOUNDS, "bounds_with_sample", "(uint32_t)inputs + targets", "(uint16_t)(inputs + targets)"),
    Fault(BOUNDS, "bounds_class", "index * class_bits / 8", "index * class_bits"),
    Fault(CRC, "wire_crc32", "bytes + count;", "bytes + count + 1;"),
    Fault(CRC, "wire_crc32", "index / 16", "index / 15"),
    Fault(FRAME, "wire_decoder_init", "(max_payload + WIRE_FRAME_OVERHEAD)", "(max_payload + WIRE_FRAME_OVERHEAD + 1)"),
    Fault(FRAME, "load32", "bytes[3] << 24", "bytes[4] << 24"),
    Fault(FRAME, "store32", "bytes[3] = ", "bytes[4] = "),
    Fault(FRAME, "wire_seed", "return 0;", "return decoder->oldest_seed;"),
    Fault(FRAME, "end_frame", "decoder->block == 0 && decoder->length >= WIRE_FRAME_OVERHEAD", "decoder->block == 0"),
    Fault(FRAME, "room", "if (decoder->length == decoder->capacity)", "if (false)"),
    Fault(FRAME, "start_block", "        room(decoder);\n", ""),
    Fault(FRAME, "copy_block", "if (most > count)", "if (false)"),
    # A decoder that takes no byte would not end.
    Fault(FRAME, "copy_block", "for (; left && *bytes; left--)", "for (; left > 1 && *bytes; left--)"),
    Fault(FRAME, "wire_decode", "while (at < count && event", "while (event"),
    Fault(FRAME, "wire_encode", "(uint8_t)(length + 3)", "(uint8_t)(length + 4)"),
    Fault(FRAME, "wire_encode", "            *code = distance;\n", ""),
)


def prove(source: Path, machine: str, options: tuple[str, ...], seconds: int) -> tuple[int, int]:
    """Goals that are proved, and all goals."""
    includes = " ".join(["-std=c11", *(f"-I{FIRMWARE / folder}" for folder in INCLUDES)])
    tools = ["-wp", "-wp-rte", "-wp-prover", "cvc4,z3", "-wp-timeout", str(seconds)]
    command = ["frama-c", "-c11", "-machdep", machine, f"-cpp-extra-args={includes}", *tools, *options, str(source)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"Proved goals: +(\d+) / (\d+)", run.stdout)
    if run.returncode or not found:
        sys.exit(f"frama-c failed:\n{run.stdout[-2000:]}{run.stderr[-2000:]}")
    return int(found[1]), int(found[2])


def prove_fault(fault: Fault) -> bool:
    """Whether a copy with the fault is proved."""
    text = (FIRMWARE / fault.file).read_text(encoding="utf-8")
    if text.count(fault.right) != 1:
        sys.exit(f"{fault.file} has changed: plant the fault elsewhere than at {fault.right!r}")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / Path(fault.file).name
        copy.write_text(text.replace(fault.right, fault.wrong), encoding="utf-8")
        proved, goals = prove(copy, MACHINES[0], (*FILES[fault.file], "-wp-fct", fault.function), SECONDS_FAULT)
    change = f"{fault.right.strip()!r} planted as {fault.wrong.strip()!r}"
    print(f"{fault.function}, {change}: {goals - proved} of {goals} goals not proved", flush=True)
    return proved == goals


def main() -> int:
    """Every contract is proved, and no fault."""
    if missing := [tool for tool in TOOLS if not shutil.which(tool)]:
        sys.exit(f"{', '.join(missing)} not found: apt-get install frama-c-base z3 cvc4")
    subprocess.run(["why3", "config", "detect"], capture_output=True, check=True)
    failed = False
    for file, options in FILES.items():
        for machine in MACHINES:
            start = time.monotonic()
            proved, goals = prove(FIRMWARE / file, machine, options, SECONDS)
            print(f"{file}, {machine}: {proved} of {goals} goals proved in {time.monotonic() - start:.0f} s", flush=True)
            failed |= proved != goals or not goals
    for fault in FAULTS:
        failed |= prove_fault(fault)
    return failed


if __name__ == "__main__":
    sys.exit(main())
