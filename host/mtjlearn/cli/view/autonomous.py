"""How a board that learns autonomously is shown: a table of where it stands, and the curve of its losses in one line."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjlearn.board import Board, BoardError, CheckpointState, Curve, Health, Progress, years_of_wear
from mtjlearn.cli.view.console import print_rows, result_console, say
from mtjlearn.wire.messages import Activity, Features, Restored, State, StopReason, Task

HEIGHTS = "▁▂▃▄▅▆▇█"
_EEPROM_BOARDS = ("uno", "mega2560")
"""Boards whose memory is an EEPROM of 100,000 cycles per cell, by the beginnings of their names."""
_STOPPED = {
    StopReason.STEPS: "the steps asked for are done",
    StopReason.EPOCHS: "the epochs asked for are done",
    StopReason.LOSS: "the loss asked for is reached",
    StopReason.HOST: "the host stopped it",
}
RESTORED = {
    Restored.NOTHING: "a clean start: there was no checkpoint",
    Restored.NEWEST: "restored from its newest checkpoint",
    Restored.OLDER: "restored from the older checkpoint; the newer one was damaged, as after a power cut while it was written",
    Restored.DAMAGED: "a clean start: no checkpoint was complete",
    Restored.UNFIT: "a clean start: its checkpoints are of another firmware, or of a network that does not fit",
    Restored.NO_DATASET: "restored from a checkpoint, but its dataset is damaged: upload it again",
}
"""What a board found in its memory when it started, in words."""


def sparkline(values: NDArray[np.float64], width: int | None = None) -> str:
    """Values as one character each, the last `width` of them; on a logarithmic scale where they are positive."""
    shown = values[-width:] if width else values
    if shown.size == 0:
        return ""
    scaled = np.log(shown) if shown.min() > 0 else shown
    low, span = scaled.min(), np.ptp(scaled) or 1.0
    return "".join(HEIGHTS[place] for place in np.rint((scaled - low) / span * (len(HEIGHTS) - 1)).astype(int))


def plain_curve(curve: Curve) -> dict[str, Any]:
    """The curve as ``--json`` prints it."""
    return {"interval": curve.interval, "losses": [float(loss) for loss in curve.losses]}


def rule_text(progress: Progress) -> str:
    """When it stops."""
    rules = [
        f"after {progress.stop_steps:,} steps" if progress.stop_steps else "",
        f"after {progress.stop_epochs:,} epochs" if progress.stop_epochs else "",
        f"at a mean loss of {progress.loss_target:.4g}" if progress.loss_target else "",
    ]
    rule = " or ".join(rule for rule in rules if rule)
    return f"stops {rule}" if rule else "never stops"


def wear(board: str, interval: int) -> tuple[float | None, str]:
    """Years that the memory lasts at this interval, where that is known, and the sentence that says so."""
    if not interval:
        return None, "at stops only"
    often = f"every {interval / 60:.3g} minutes" if interval >= 60 else f"every {interval} s"
    if not board.startswith(_EEPROM_BOARDS):
        return None, often
    years = years_of_wear(interval)
    return years, f"{often}; the EEPROM (100,000 cycles, two slots in turn) lasts {years:.1f} years of that"


def read(board: Board) -> dict[str, Any]:
    """Everything a board reports about autonomous learning, as ``--json`` prints it.

    Raises:
        BoardError: as the board's methods.
    """
    status = board.status()
    found: dict[str, Any] = {
        "board": board.info.name,
        "url": board.info.url,
        "restored": board.info.restored,
        "last_error": board.info.last_error,
        "boot_count": board.info.boot_count,
        "reset_cause": board.info.reset_cause,
        "configured": status.state != State.UNCONFIGURED,
        "trained": {"steps": status.steps, "skipped": status.skipped, "saturations": status.saturations},
        "net": None,
        "progress": board.progress(),
        "curve": None,
        "health": board.health(),
        "checkpoint": board.checkpoint_state() if Features.MEMORY in board.info.features else None,
    }
    if found["configured"]:
        try:
            found["net"] = board.adopt().name
        except BoardError as error:
            found["net_unknown"] = str(error)
        found["curve"] = plain_curve(board.curve())
    checkpoint = found["checkpoint"]
    found["wear_years"] = wear(board.info.name, checkpoint.interval)[0] if checkpoint is not None else None
    return found


def show(found: dict[str, Any]) -> None:
    """What read() found, for people."""
    progress: Progress = found["progress"]
    health: Health = found["health"]
    checkpoint: CheckpointState | None = found["checkpoint"]
    restored: Restored = found["restored"]
    cause = found["reset_cause"].name.lower().replace("_", " ")
    started = f"number {found['boot_count']} ({cause}); {RESTORED[restored]}"
    rows = [("board", f"{found['board']} at {found['url']}"), ("start", started)]
    if found["last_error"]:
        rows.append(("", f"last error before it: {found['last_error']}"))
    rows.append(("activity", _activity(progress)))
    if found["configured"]:
        rows.append(("network", f"{found['net'] or found['net_unknown']}; {found['trained']['steps']:,} steps in all"))
    if progress.task is not Task.NONE:
        rows += _learning(progress)
    if progress.samples:
        rows.append(("dataset", f"{progress.samples:,} samples in its memory"))
    if found["curve"] and found["curve"]["losses"]:
        losses = np.array(found["curve"]["losses"])
        line = f"{sparkline(losses)}  " if result_console().encoding.lower().startswith("utf") else ""
        rows.append(("loss curve", f"{line}{losses[0]:.4f} to {losses[-1]:.4f}, a point is {found['curve']['interval']:,} steps"))
    rows.append(("noise source", health.describe()))
    rows += _checkpoints(found["board"], checkpoint)
    print_rows(rows)


def _activity(progress: Progress) -> str:
    if progress.activity is Activity.IDLE:
        return "does not learn autonomously"
    if progress.running:
        return "learns autonomously" + (", evaluating now" if progress.activity is Activity.EVALUATING else "")
    return f"stopped: {_STOPPED.get(progress.stop_reason, progress.activity.name.lower())}"


def _learning(progress: Progress) -> list[tuple[str, str]]:
    rows = [("task", f"{progress.task.name.lower()}; {rule_text(progress)}")]
    part = "" if progress.activity is Activity.EVALUATING else f" + {progress.position:,} of {progress.epoch_steps:,}"
    place = f"{progress.steps:,} steps, {progress.epoch:,}{part} epochs"
    halving = f", halved every {progress.halve_every:,} steps" if progress.halve_every else ""
    rows.append(("done", f"{place}; eta {progress.learning_rate:.4g}{halving}"))
    if progress.epoch_loss is not None:
        rows.append(("loss", f"{progress.epoch_loss:.4f} in the last whole epoch, with noise"))
    if progress.evaluation_loss is not None:
        accuracy = f", {progress.accuracy:.1%} correct" if progress.accuracy is not None else ""
        loss = f"loss {progress.evaluation_loss:.4f}{accuracy}, without noise"
        rows.append(("evaluation", f"after {progress.evaluated:,} epochs: {loss}"))
    return rows


def _checkpoints(board: str, checkpoint: CheckpointState | None) -> list[tuple[str, str]]:
    if checkpoint is None:
        return [("checkpoints", "none: the board has no nonvolatile memory")]
    if checkpoint.missing:
        return [("checkpoints", f"none: {checkpoint.missing} bytes of memory are missing for two of this network")]
    if not checkpoint.generation:
        return [("checkpoints", f"none saved yet; its memory has {checkpoint.memory:,} bytes")]
    saved = f"{checkpoint.generation:,} saved, the last start or save {checkpoint.age:,} s ago"
    return [("checkpoints", saved), ("", wear(board, checkpoint.interval)[1])]


def say_stays(name: str, progress: Progress) -> None:
    """What to do next with a board that learns."""
    stays = f"mtjlearn autonomous watch --board {name}"
    say(f"it learns autonomously now and {rule_text(progress)}; the host may disconnect. Return with: {stays}")
