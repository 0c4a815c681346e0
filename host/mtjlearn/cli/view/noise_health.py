"""What the board's own tests say of its noise, next to what a recording says, and the limits that suit the recording."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import click

from mtjlearn.board import Board, Health
from mtjlearn.cli.view.console import say
from mtjlearn.noise import Recording, characterise
from mtjlearn.noise.characterise import states
from mtjlearn.noise.health import HealthLimits, periodic_lag


def set_limits(board: Board, recording: Recording) -> HealthLimits:
    """Sets the limits of the board's tests to those of the source that was recorded, and lets it take the levels again.

    Raises:
        click.UsageError: the recording shows no two states that the tests could watch, or a signal that is not noise.
    """
    summary = characterise(recording)
    if summary.predictable:
        raise click.UsageError(f"--set-limits: {summary.hints[0]}")
    try:
        limits = HealthLimits.of_source(summary.up, summary.down)
    except ValueError as error:
        raise click.UsageError(f"--set-limits: {error}") from None
    for sequence in states(recording, summary.levels):
        lag = periodic_lag(sequence, limits)
        if lag is not None:
            raise click.UsageError(
                f"--set-limits: the source repeats or alternates every {lag} codes, so it is not random; "
                "remove what drives it, then record it again"
            )
    board.set_health(limits, recalibrate=True)
    say(f"limits set: {_limits(asdict(limits))}; after the next checkpoint they also survive a restart")
    return limits


def rows(health: Health | None) -> Iterator[tuple[str, str]]:
    """Lines of the table."""
    if health is None:
        return
    yield "the board's own tests", health.describe()
    if health.levels is None:
        yield "", "not calibrated yet: they begin with the first training"
    else:
        low, high = health.levels
        yield "", f"calibrated levels {low} and {high} codes"
        if health.windows:
            yield "", f"last of {health.windows:,} windows: {health.ones:,} codes high, {health.switches:,} switches"
    yield "", f"limits: {_limits(health.limits)}"


def plain_health(health: Health | None) -> dict[str, Any] | None:
    """As ``--json`` prints it."""
    return None if health is None else {**asdict(health), "advice": health.advice, "text": health.describe()}


def _limits(limits: dict[str, int]) -> str:
    if not limits["window"]:
        return "none, the tests are off"
    ones = f"{limits['ones_min']:,} to {limits['ones_max']:,} high"
    within = f"in {limits['window']:,} codes {ones} and {limits['switches_min']:,} switches or more"
    return f"fewer than {limits['repetitions']:,} codes of one state in a row, {within}"
