"""What only the float reference can do, as it is asked for; boards learn online, with plain steps, in integers."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal, get_args

from mtjlearn.network import NetworkError
from mtjlearn.reference.backend import Precision
from mtjlearn.reference.reading import READINGS, ReadingName

NO_BOARD = "none"
"""The name of no board: the float reference learns alone."""
INSTEAD = f"or train the float reference alone with --board {NO_BOARD}"
"""What to do where a board cannot do what was asked."""
OptimiserName = Literal["sgd", "adam"]
OPTIMISERS: tuple[OptimiserName, ...] = get_args(OptimiserName)
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
_SPELLED = {"reading": "--as", **{name: f"--{name}" for name in ("batch", "optimiser", "dtype")}}


@dataclass(frozen=True)
class FloatOptions:
    """Options of a reference that learns alone; the defaults are what a board does, and what the reference does with it.

    Args:
        batch: samples in a step.
        optimiser: of the weights.
        reading: the paper's text, or what its authors' code does (:class:`mtjlearn.reference.Reference`).
        dtype: precision of weights and activities.
        centring: inputs of layers are centred as well as decorrelated: ``xbar = R x + b``.
        augment: images are cropped and mirrored at random in each epoch.

    Raises:
        NetworkError: an option has no such value.
    """

    batch: int = 1
    optimiser: OptimiserName = "sgd"
    reading: ReadingName = "paper"
    dtype: Precision = "float64"
    centring: bool = False
    augment: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.batch, int) or self.batch < 1:
            raise NetworkError(f"a batch of {self.batch} samples is not possible; use 1 or more")
        for name, known in (("optimiser", OPTIMISERS), ("reading", READINGS), ("dtype", PRECISIONS)):
            if getattr(self, name) not in known:
                raise NetworkError(f"there is no {name} {getattr(self, name)}; use {' or '.join(known)}")

    @property
    def asked(self) -> list[str]:
        """What differs from the defaults, as options of the command line."""
        changed = [(field.name, getattr(self, field.name)) for field in fields(self) if getattr(self, field.name) != field.default]
        return [f"{_SPELLED[name]} {value}" if name in _SPELLED else f"--{name}" for name, value in changed]

    def check_board(self) -> None:
        """Refuses what boards cannot do.

        Raises:
            NetworkError: naming the options, and what to do.
        """
        if self.asked:
            raise NetworkError(f"boards learn online, with SGD and in integers: omit {' and '.join(self.asked)}, {INSTEAD}")
