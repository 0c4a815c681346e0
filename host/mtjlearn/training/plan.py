"""What a training does: data, network, rule, epochs, seed. Written to config.toml and read back to resume.

A plan carries its data: they are read once, when they are asked for first, and quantised once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import InitVar, asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from mtjlearn.datasets import BUILTIN, Columns, Dataset, DatasetError, Quantised, Task, default_network_sizes, load, quantise
from mtjlearn.network import BOARD_RULES, Loss, Network, Rounding, RuleName, WeightFormat, check_device
from mtjlearn.runs import RunError
from mtjlearn.schedule import constant, halving
from mtjlearn.virtual.boards import board_options

CODES_PER_STEP = 4
"""Noise codes a training step on a virtual board's clock: about what the Uno's converter delivers in a step of 400 us."""
DECORRELATION_RATE = 2**-12

# Measured with ten seeds. A larger factor learns no better and drives logits into their limit of +-8 more often.
_STEPS = 30_000
_EPOCHS = {"teacher": 20, "xor": 100, "iris": 100, "wine": 100, "breast-cancer": 50, "digits": 80}
_FACTORS = {"breast-cancer": 0.2, "digits": 4.0}
_CROSS_ENTROPY_FACTOR = 0.5
_SQUARED_FACTOR = 0.2


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
        falling: the learning rate is halved towards the end (:mod:`mtjlearn.schedule`).
        seed: of the split, the order of the samples and a virtual board's noise.
        reference: train the float reference too.
        board: name of the board; None for a rule that only the reference knows.
        virtual: options of a virtual board that were asked for.
        columns: which columns of a file are inputs.
        loaded: the data, where they were loaded already.

    Raises:
        NetworkError: a board can learn with the rule, but not the network.
    """

    data: str
    target: str | None
    task: Task | None
    rule: RuleName
    network: Network
    epochs: int
    falling: bool
    seed: int
    reference: bool
    board: str | None
    virtual: Mapping[str, Any]
    columns: Columns = field(default_factory=Columns)
    loaded: InitVar[Dataset | None] = None

    def __post_init__(self, loaded: Dataset | None) -> None:
        if self.on_board:
            check_device(self.network)
        if loaded is not None:
            self.__dict__["dataset"] = loaded

    @cached_property
    def dataset(self) -> Dataset:
        """The data, split.

        Raises:
            DatasetError: as :func:`mtjlearn.datasets.load`.
        """
        return load(self.data, seed=self.seed, target=self.target, task=self.task, columns=self.columns)

    @cached_property
    def quantised(self) -> Quantised:
        """The data in the device's numbers.

        Raises:
            DatasetError: they cannot be loaded, or do not fit the network.
        """
        return quantise(self.dataset, self.network)

    @property
    def on_board(self) -> bool:
        """Whether a board can learn with this rule."""
        return self.rule in BOARD_RULES

    @property
    def name(self) -> str:
        """Short name of the data."""
        return Path(self.data).stem

    @property
    def board_options(self) -> dict[str, Any]:
        """Options for opening the board: a virtual clock where there is one, so that a seed repeats a run exactly."""
        known = board_options(self.board)
        options = {"virtual_clock": CODES_PER_STEP, "seed": self.seed}
        return {name: value for name, value in options.items() if name in known} | dict(self.virtual)

    def rate_factor(self, epoch: int) -> float:
        """Factor on the learning rate in an epoch (0, 1, ...)."""
        return (halving if self.falling else constant)(epoch, self.epochs)

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
            values = dict(config)
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
            optional: dict[str, Any] = {"target": None, "task": None, "board": None, "virtual": {}}
            columns = _columns(values.pop("columns", None))
            return cls(**{**optional, **values, "network": described, "columns": columns})
        except (KeyError, TypeError, AttributeError) as error:
            raise RunError(f"config.toml does not describe a training ({error}); start a new run") from None


def _columns(written: Mapping[str, Any] | None) -> Columns:
    """As config.toml says; a run of version 0.1.0 says nothing and learns from all columns, an index among them."""
    if written is None:
        return Columns(keep_index=True)
    drop, features = (tuple(map(str, written[name])) for name in ("drop", "features"))
    return Columns(**{**written, "drop": drop, "features": features})


def default_plan(
    data: str,
    *,
    seed: int,
    rule: RuleName = "anp",
    target: str | None = None,
    task: Task | None = None,
    loss: Loss | None = None,
    sizes: tuple[int, ...] | None = None,
    epochs: int | None = None,
    eta: float | None = None,
    sigma: float | None = None,
    weight_format: WeightFormat = WeightFormat.INT16,
    antithetic: bool = False,
    falling: bool = True,
    reference: bool = True,
    board: str | None = None,
    virtual: Mapping[str, Any] | None = None,
    columns: Columns | None = None,
) -> Plan:
    """Fills in what the user left open: cross-entropy for classes, a network that suits, about 30,000 steps for a file.

    Args:
        data: name of a built-in dataset, or path of a file.
        seed: of the split, the weights, the order of the samples and a virtual board's noise.
        rule: learning rule.
        target: target column of a file.
        task: classification or regression; None: seen from the data.
        loss: loss function; None: cross-entropy for classes, else squared error.
        sizes: of the network; None: one hidden layer that suits.
        epochs: passes through the training part.
        eta: learning rate.
        sigma: standard deviation of a unit's noise.
        weight_format: storage of the weights.
        antithetic: the second pass uses the noise of the first, negated.
        falling: the learning rate is halved towards the end.
        reference: train the float reference too; it learns anyway with a rule that boards do not know.
        board: name of the board; None for the only one connected, or for none.
        virtual: options of a virtual board that were asked for.
        columns: which columns of a file are inputs; None: all but the target and an index.

    Raises:
        DatasetError: if the data cannot be used, or do not fit the network.
        NetworkError: if the network cannot be.
    """
    columns = columns or Columns()
    dataset = load(data, seed=seed, target=target, task=task, columns=columns)
    chosen = loss if loss is not None else Loss.SQUARED if dataset.classes is None else Loss.CROSS_ENTROPY
    if chosen is Loss.CROSS_ENTROPY and dataset.classes is None:
        raise DatasetError(
            f"{dataset.name} is a regression, and cross-entropy needs classes: use the squared loss, or --task classification"
        )
    shape = sizes if sizes is not None else default_network_sizes(dataset, chosen)
    factor = _FACTORS.get(data, _CROSS_ENTROPY_FACTOR) if chosen is Loss.CROSS_ENTROPY else _SQUARED_FACTOR
    decorrelated = rule == "danp"
    network = Network(
        shape,
        loss=chosen,
        weight_format=weight_format,
        antithetic=antithetic,
        learning_rate=eta if eta is not None else factor / max(sum(shape[1:]), 1),
        decorrelate=(decorrelated,) * (len(shape) - 1),
        decorrelation_rate=DECORRELATION_RATE if decorrelated else 0.0,
        sigma=sigma if sigma is not None else 1 / 32,
        seed=seed + 1,
    )
    samples = len(dataset.x_train)
    plan = Plan(
        data=data if data in BUILTIN else str(Path(data).resolve()),
        target=target,
        task=dataset.task,
        rule=rule,
        network=network,
        epochs=epochs if epochs is not None else _EPOCHS.get(data, max(5, min(200, round(_STEPS / samples)))),
        falling=falling,
        seed=seed,
        reference=reference or rule not in BOARD_RULES,
        board=board,
        virtual=dict(virtual or {}),
        columns=columns,
        loaded=dataset,
    )
    plan.quantised  # noqa: B018 (raises if the data do not fit)
    return plan
