"""What a training does: data, network, rule, epochs, seed. Written to config.toml and read back to resume.

A plan carries its data: they are read once, when they are asked for first, and quantised once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import InitVar, asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mtjlearn.datasets import IMAGE_SETS, Columns, Dataset, Quantised, Scale, Task, epoch_order, load, quantise
from mtjlearn.network import BOARD_RULES, Loss, Network, NetworkError, Rounding, RuleName, WeightFormat, check_device
from mtjlearn.reference.reading import ReadingName
from mtjlearn.runs import RunError
from mtjlearn.schedule import SCHEDULES, ScheduleName, factors, schedule_of, stretches
from mtjlearn.training.float_options import INSTEAD, NO_BOARD, FloatOptions
from mtjlearn.virtual.boards import board_options

_KINDS = {"data": str, "rule": str, "seed": int, "epochs": int}
"""What config.toml must say, in these types."""
_STRIDE = 1_640_531_527
"""Between the seeds of the noise of trainings that continue each other."""
CODES_PER_STEP = 4
"""Noise codes a training step on a virtual board's clock: about what the Uno's converter delivers in a step of 400 us."""


@dataclass(frozen=True)
class Start:
    """What a training begins with that another one has learned (:mod:`mtjlearn.training.start`).

    Args:
        run: name of its run directory.
        path: absolute path of it.
        trainings: before this one.
        epochs: of all of them; one that was begun counts.
        steps: of all of them.
    """

    run: str
    path: str
    trainings: int
    epochs: int
    steps: int


@dataclass(frozen=True)
class Plan:
    """A training.

    Args:
        data: name of a built-in dataset, or absolute path of a file.
        target: target column of a file.
        task: classification or regression; None: seen from the data.
        rule: learning rule.
        network: sizes, loss, formats, rates; its seed draws the weights.
        epochs: passes through the training part.
        schedule: how the learning rate falls (:mod:`mtjlearn.schedule`).
        seed: of the split, the order of the samples and a virtual board's noise.
        reference: train the float reference too.
        board: name of the board; None for the only one connected, or for a rule that only the reference knows; "none": none.
        virtual: options of a virtual board that were asked for.
        columns: which columns of a file are inputs.
        scale: of the inputs.
        data_dir: absolute path of the folder of an image set's files.
        samples: the first ones of the training part that are learned from; None: all.
        pool: the mean of this many times this many pixels of an image is one input.
        floats: what only the float reference can do.
        start: what it begins with, if another run learned that.
        loaded: the data, where they were loaded already.

    Raises:
        NetworkError: a board can learn with the rule, but not the network, or is to do what only the float reference can.
    """

    data: str
    target: str | None
    task: Task | None
    rule: RuleName
    network: Network
    epochs: int
    schedule: ScheduleName
    seed: int
    reference: bool
    board: str | None
    virtual: Mapping[str, Any]
    columns: Columns = field(default_factory=Columns)
    scale: Scale = "column"
    data_dir: str | None = None
    samples: int | None = None
    pool: int = 1
    floats: FloatOptions = field(default_factory=FloatOptions)
    start: Start | None = None
    loaded: InitVar[Dataset | None] = None

    def __post_init__(self, loaded: Dataset | None) -> None:
        if self.on_board:
            self._check_board()
        if loaded is not None:
            self.__dict__["dataset"] = loaded

    def _check_board(self) -> None:
        self.floats.check_board()
        try:
            check_device(self.network)
        except NetworkError as error:
            raise NetworkError(f"{error}, {INSTEAD}") from None

    @cached_property
    def dataset(self) -> Dataset:
        """The data, split.

        Raises:
            DatasetError: as :func:`mtjlearn.datasets.load`.
        """
        return load_data(
            self.data,
            seed=self.seed,
            target=self.target,
            task=self.task,
            columns=self.columns,
            scale=self.scale,
            data_dir=self.data_dir,
            samples=self.samples,
            pool=self.pool,
            reading=self.floats.reading,
        )

    @cached_property
    def quantised(self) -> Quantised:
        """The data in the device's numbers; the targets alone where no board learns, as the reference takes real inputs.

        Raises:
            DatasetError: they cannot be loaded, or do not fit the network.
        """
        return quantise(self.dataset, self.network, inputs=self.on_board)

    @property
    def on_board(self) -> bool:
        """Whether a board learns: one can with this rule, and no board was not asked for."""
        return self.rule in BOARD_RULES and self.board != NO_BOARD

    @property
    def name(self) -> str:
        """Short name of the data."""
        return Path(self.data).stem

    @property
    def board_options(self) -> dict[str, Any]:
        """Options for opening the board: a virtual clock where there is one, so that a seed repeats a run exactly."""
        known = board_options(self.board)
        options = {"virtual_clock": CODES_PER_STEP, "seed": self.noise_seed}
        return {name: value for name, value in options.items() if name in known} | dict(self.virtual)

    @property
    def noise_seed(self) -> int:
        """Seed of a virtual board's noise, and of simulated noise: another one for each training that continues."""
        return self.seed if self.start is None else (self.seed + self.start.trainings * _STRIDE) % 2**31

    def order(self, epoch: int) -> NDArray[np.int64]:
        """Order of the samples in an epoch (0, 1, ...), which continues that of the trainings before.

        The newest one is kept: an epoch is streamed in many stretches.
        """
        if epoch not in self._orders:
            self._orders.clear()
            self._orders[epoch] = epoch_order(self.seed, self.total_epoch(epoch), len(self.dataset.x_train))
        return self._orders[epoch]

    @cached_property
    def _orders(self) -> dict[int, NDArray[np.int64]]:
        return {}

    def total_epoch(self, epoch: int) -> int:
        """Number of an epoch (0, 1, ...) with those of the trainings before."""
        return epoch + (0 if self.start is None else self.start.epochs)

    def stretches(self, epoch: int) -> list[tuple[int, int, float]]:
        """An epoch (0, 1, ...) in parts of one rate, as :func:`mtjlearn.schedule.stretches`."""
        return stretches(self.schedule, epoch, self.epochs, len(self.dataset.x_train))

    def rate_factors(self, epoch: int) -> list[float]:
        """Factor on the learning rate at each sample of an epoch (0, 1, ...)."""
        return factors(self.schedule, epoch, self.epochs, len(self.dataset.x_train))

    def config(self) -> dict[str, Any]:
        """As written to config.toml."""
        return asdict(self)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Reads what :meth:`config` wrote.

        Raises:
            RunError: if it is not the configuration of a training.
        """
        try:
            values = {**config, "schedule": schedule_of(config)}
            values.pop("falling", None)
            if values["schedule"] not in SCHEDULES:
                raise TypeError(f"there is no schedule {values['schedule']}")
            network = dict(values.pop("network"))
            described = Network(
                **{
                    **network,
                    "sizes": tuple(network["sizes"]),
                    "decorrelate": tuple(network["decorrelate"]),
                    "loss": Loss[network["loss"].upper()],
                    "weight_format": WeightFormat[network["weight_format"].upper()],
                    "rounding": Rounding[network["rounding"].upper()],
                }
            )
            for name, kind in _KINDS.items():
                if not isinstance(values[name], kind):
                    raise TypeError(f"{name} is not of type {kind.__name__}")
            optional: dict[str, Any] = {"target": None, "task": None, "board": None, "virtual": {}}
            columns = _columns(values.pop("columns", None))
            floats = FloatOptions(**values.pop("floats", {}))
            start = values.pop("start", None)
            began = {} if start is None else {"start": Start(**start)}
            return cls(**{**optional, **values, "network": described, "columns": columns, "floats": floats, **began})
        except (KeyError, TypeError, AttributeError) as error:
            raise RunError(f"config.toml does not describe a training ({error}); start a new run") from None


def _columns(written: Mapping[str, Any] | None) -> Columns:
    """As config.toml says; a run of version 0.1.0 says nothing and learns from all columns, an index among them."""
    if written is None:
        return Columns(keep_index=True)
    texts = {name: tuple(map(str, written.get(name, ()))) for name in ("drop", "features", "categorical")}
    return Columns(**{**written, **texts})


def load_data(data: str, *, scale: Scale, reading: ReadingName, **options: Any) -> Dataset:
    """Loads data as :func:`mtjlearn.datasets.load`; images read as by the authors' code have its means and deviations."""
    images = IMAGE_SETS.get(data)
    channels = None
    if reading == "code" and scale == "global" and images is not None and images.mean is not None and images.std is not None:
        channels = images.mean, images.std
    return load(data, scale=scale, channels=channels, **options)
