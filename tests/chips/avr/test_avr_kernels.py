"""The learner's own functions for AVR next to those in C, on the chip: the same networks in lockstep, values at every limit."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from mtjlearn.firmware import find_avr_gcc, find_host_cc, firmware_root
from mtjlearn.firmware.images import firmware_image

HERE = Path(__file__).resolve().parent
TRIALS = 100
"""For each; the long run has four times as many."""
SPARSE = ("-fno-strict-aliasing", "-ffunction-sections", "-fdata-sections")


def lines_of(output: str) -> list[str]:
    """The program's lines, without what the simulator adds: colours, and dots for what does not print."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", output)
    return re.findall(r"(?:^|\s)(trial [0-9 ]+[0-9]|end|[a-z ]+: different [a-z0-9 ]+)(?=[\s.]|$)", plain)


def on_the_chip(folder: Path, chip: str, *variant: str) -> list[str]:
    """What an AVR says, with the Uno's compiler flags."""
    learner = firmware_root() / "firmware" / "lib" / "anp" / "src"
    flags = [flag for flag in firmware_image("uno").flags if not flag.startswith(("-I", "-mmcu", "-DANP_"))]
    image = folder / "lockstep.elf"
    command = [find_avr_gcc(), f"-mmcu={chip}", *flags, *SPARSE, "-Werror", *variant, f"-I{learner}"]
    command += [*sorted(learner.glob("*.[cS]")), HERE / "lockstep.c", HERE / "portable.c", "-Wl,--gc-sections", "-o", image]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    simulator = ["simavr", "-m", chip, "-f", "16000000", image]
    run = subprocess.run(simulator, stdin=subprocess.DEVNULL, capture_output=True, timeout=300, check=False)
    return lines_of((run.stdout + run.stderr).decode("utf-8", "replace"))


def on_a_desktop(folder: Path, *variant: str) -> list[str]:
    """What the portable learner says."""
    learner = firmware_root() / "firmware" / "lib" / "anp" / "src"
    program = folder / "lockstep"
    command = [find_host_cc(), "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Werror", *SPARSE[:1], *variant]
    command += [f"-I{learner}", *sorted(learner.glob("*.c")), HERE / "lockstep.c", "-o", program]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return lines_of(subprocess.run([program], capture_output=True, text=True, timeout=60, check=True).stdout)


@pytest.mark.parametrize("trials", [TRIALS, pytest.param(4 * TRIALS, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("chip", "variant"),
    [
        ("atmega328p", ("-DANP_MAX_WIDTH=127",)),
        ("atmega328p", ("-DANP_INT16_ONLY", "-DANP_MAX_WIDTH=127")),
        ("atmega328p", ("-DANP_ONE_RULE", "-DANP_MAX_WIDTH=127")),
        ("atmega1284p", ("-DLOCKSTEP_WIDE",)),
    ],
    ids=["deep", "int16", "one_rule", "wide"],
)
def test_the_chips_own_functions_give_the_same_bits(tmp_path: Path, chip: str, variant: tuple[str, ...], trials: int) -> None:
    options = (f"-DTRIALS={trials}", *variant)
    portable = on_a_desktop(tmp_path, *options)
    assert on_the_chip(tmp_path, chip, *options) == portable
    assert portable[-1] == "end"
    seen = [[int(number) for number in line.split()[1:]] for line in portable[:-1]]
    assert [trial[0] for trial in seen] == list(range(1, trials + 1))
    assert len({checksum for *_, checksum in seen}) == trials
    saturated = sum(saturations > 0 for _, saturations, _, _ in seen)
    assert 0.3 * trials < saturated < 0.9 * trials
    assert sum(skipped for _, _, skipped, _ in seen) > trials / 15
