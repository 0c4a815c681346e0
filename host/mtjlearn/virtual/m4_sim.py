"""Starts m4-sim: the image of a Cortex-M4F in QEMU (machine mps2-an386), with a virtual sMTJ at its ADC."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mtjlearn.virtual.qemu import QemuOptions, start_qemu

if TYPE_CHECKING:
    from mtjlearn.virtual.process import BoardProcess


def start_m4_sim(
    *,
    seed: int = 1,
    preset: str = "recording",
    device_noise: str = "smtj",
    voltages: str | os.PathLike[str] | None = None,
    fault: str | None = None,
    fault_after: float = 0.0,
    fault_lasts: float | None = None,
    virtual_clock: int = 0,
    profile: str | os.PathLike[str] | None = None,
    elf: str | os.PathLike[str] | None = None,
) -> BoardProcess:
    """Starts a simulated Cortex-M4F on a pseudo-terminal. What is missing is compiled first, which takes seconds, once.

    Args:
        seed: of the virtual sMTJ, 0 .. 2^64 - 1.
        preset: voltages at the pin: ``recording`` (36.2 and 48.0 mV, appendix A of the paper) or ``bench`` (a junction
            of 3 or 6 kOhm in a divider of 3.3 V over 100 kOhm: 96 and 187 mV).
        device_noise: ``smtj``; ``gaussian`` or ``bernoulli`` for comparison; the faults ``stuck``, ``open``, ``short``,
            ``saturating``, ``slow``, ``drifting``.
        voltages: file of 32-bit floats, the voltage of each sample in mV, from the start again after the last: for sources
            that are not a junction. It replaces ``device_noise``; None: no file.
        fault: what the noise becomes in the middle of the run, a name as above; None: nothing.
        fault_after: seconds of the board's own time until then.
        fault_lasts: seconds after which the noise is as it was; None: forever.
        virtual_clock: codes that arrive for each training step, up to 1024: then a seed repeats a run exactly; 0: real
            time, or PROFILE_CLOCK with a profile, for which time is the number of instructions.
        profile: JSON file for the instructions of every training step, split into phases, and the stack, written when
            the board ends.
        elf: another image than the firmware of this project.

    Raises:
        ToolMissing: QEMU or a compiler is not installed; the text names the command that installs it.
        FirmwareError: the firmware does not compile.
        BoardProcessError: the board does not start, e.g. because an option is out of range.
    """
    options = QemuOptions(seed, preset, device_noise, voltages, fault, fault_after, fault_lasts, virtual_clock, profile, elf)
    return start_qemu("m4", "mps2", options)
