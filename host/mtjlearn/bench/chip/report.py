"""Puts the figures of a simulated chip together, as commands print them and as the project keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mtjlearn.bench.chip.limits import COSTS, Costs, step_limit
from mtjlearn.bench.chip.profile import PhaseCosts
from mtjlearn.bench.chip.steps import ChipSteps, count_steps, workloads
from mtjlearn.bench.phases import PHASES, Progress
from mtjlearn.bench.workload import SEED, STEPS, TASK, Workload
from mtjlearn.firmware import build_firmware, compiler_version
from mtjlearn.firmware.sizes import ImageSize
from mtjlearn.virtual.boards import SIMULATED


def chip_report(
    board: str, loads: Sequence[Workload] | None = None, steps: int = STEPS, progress: Progress | None = None
) -> dict[str, Any]:
    """Counts training steps on a simulated chip; the same figures in every run.

    Args:
        board: its name, one of mtjlearn.virtual.boards.SIMULATED.
        loads: what to train; None: all that belongs to the report.
        steps: training steps of each.
        progress: called with (workloads done, workloads, name).

    Returns:
        Board, unit, compiler, task, seed, steps; ``nets``, and ``variants`` with other weights or decorrelation, with
        median and maximum of a step, its parts' medians, the limit and the ratio to it, None where a network does not fit,
        and ``left_out`` with the reasons; interrupts; bytes of flash, static RAM and stack.

    Raises:
        ToolMissing, FirmwareError: image or simulator cannot be built.
        BenchError: the simulator left no profile.
    """
    chosen = workloads() if loads is None else loads
    counted = count_steps(board, chosen, steps, progress)
    image = SIMULATED[board]
    size = ImageSize.read(build_firmware(image))
    plain = [load for load in chosen if load.name == load.network.name]
    others = [load for load in chosen if load.name != load.network.name]
    profile = counted.profile
    return {
        "board": board,
        "unit": profile.unit,
        "compiler": compiler_version(image),
        "task": TASK,
        "seed": SEED,
        "steps": steps,
        "nets": {load.name: _figures(counted, load, COSTS[image]) for load in plain},
        "variants": {load.name: _figures(counted, load, COSTS[image]) for load in others},
        "left_out": counted.left_out,
        "interrupts": {name: {"calls": interrupt.calls, "mean": interrupt.mean} for name, interrupt in profile.interrupts.items()},
        "flash_bytes": size.flash,
        "ram_bytes": size.ram,
        "stack_bytes": profile.stack_bytes,
        "untouched_bytes": profile.untouched_bytes,
        "rx_overruns": profile.rx_overruns,
    }


def _figures(counted: ChipSteps, load: Workload, costs: Costs) -> dict[str, Any] | None:
    found = counted.costs.get(load.name)
    return None if found is None else phase_figures(found, load, costs)


def phase_figures(found: PhaseCosts, load: Workload, costs: Costs) -> dict[str, Any]:
    """Medians by phase, the step's maximum, its limit and the ratio to it; None where no limit is counted."""
    limit = step_limit(load.network, costs)
    return {
        **found.median,
        "max": found.maximum["step"],
        "phase_max": {name: found.maximum[name] for name in PHASES if name != "step"},
        "limit": None if limit is None else limit.step,
        "ratio": None if limit is None else found.median["step"] / limit.step,
    }
