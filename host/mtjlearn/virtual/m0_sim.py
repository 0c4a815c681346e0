"""Starts m0-sim: the image of a Cortex-M0 in QEMU (machine microbit), with a virtual sMTJ at its ADC."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mtjlearn.virtual.qemu import QemuOptions, start_qemu

if TYPE_CHECKING:
    from mtjlearn.virtual.process import BoardProcess


def start_m0_sim(
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
    """Starts a simulated Cortex-M0 on a pseudo-terminal. What is missing is compiled first, which takes seconds, once.

    Its instructions are those of the Cortex-M0+ of a Raspberry Pi Pico. Options and errors are those of
    :func:`mtjlearn.virtual.m4_sim.start_m4_sim`.
    """
    options = QemuOptions(seed, preset, device_noise, voltages, fault, fault_after, fault_lasts, virtual_clock, profile, elf)
    return start_qemu("m0", "microbit", options)
