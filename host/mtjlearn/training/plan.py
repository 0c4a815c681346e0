"""What a training does: data, network, rule, epochs, seed. Written to config.toml and read back to resume."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self, cast

from mtjlearn.datasets import Dataset, DatasetError, Task, default_network_sizes, load
from mtjlearn.network import Loss, Network, Rounding, WeightFormat
from mtjlearn.runs import RunError

RuleName = Literal["bp", "np", "anp", "danp"]
RULES: tuple[RuleName, ...] = ("bp", "np", "anp", "danp")
"""Learning rules; boards learn with anp and danp, the float reference with all."""

DECORRELATION_RATE = 2**-12
_STEPS = 15_000
_EPOCHS = {"teacher": 20, "xor": 100, "iris": 100, "wine": 100, "breast-cancer": 50, "digits": 80}
_FACTORS = {"digits": 4.0}
_CLASSIFICATION_FACTOR = 1.0
_REGRESSION_FACTOR = 0.2


@dataclass(frozen=True)
class Plan:
    """A training.

    Args:
        data: name of a built-in dataset, or path of a file.
        target: target column of a file.
        task: classification or regression; None: seen from the data.
        rule: learning rule.
        network: sizes, loss, formats, rates; its seed draws the weights.
        epochs: passes through the training part.
        falling: the learning rate is halved towards the end (:mod:`mtjlearn.schedule`).
        seed: of the split, the order of the samples and a virtual board's noise.
        reference: train the float reference too.
        board: name of the board; None for a rule that only the reference knows.
        virtual: options of a virtual board.
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

    @property
    def on_board(self) -> bool:
        """Whether a board can learn with this rule."""
        return self.rule in ("anp", "danp")

    def load(self) -> Dataset:
        """Loads and splits the data.

        Raises:
            DatasetError: as :func:`mtjlearn.datasets.load`.
        """
        return load(self.data, seed=self.seed, target=_column(self.target), task=self.task, loss=self.network.loss)

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
            return cls(**{**optional, **values, "network": described})
        except (KeyError, TypeError, AttributeError) as error:
            raise RunError(f"config.toml does not describe a training ({error}); start a new run") from None


def _column(target: str | None) -> str | int | None:
    """A target column by number, if the text is one."""
    return int(target) if target is not None and target.isdigit() else target


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
) -> Plan:
    """Fills in what the user left open: cross-entropy for classes, a network that suits, about 15,000 steps.

    Raises:
        DatasetError: if the data cannot be used.
        NetworkError: if the network cannot be.
    """
    dataset = load(data, seed=seed, target=_column(target), task=task, loss=loss)
    chosen = loss if loss is not None else Loss.SQUARED if dataset.classes is None else Loss.CROSS_ENTROPY
    if chosen is Loss.CROSS_ENTROPY and dataset.classes is None:
        raise DatasetError(f"{dataset.name} is a regression; leave --loss out, or use --loss squared")
    shape = sizes if sizes is not None else default_network_sizes(dataset, chosen)
    units = sum(shape[1:])
    usual = _REGRESSION_FACTOR if chosen is Loss.SQUARED else _CLASSIFICATION_FACTOR
    factor = _FACTORS.get(dataset.name, usual) if chosen is Loss.CROSS_ENTROPY else usual
    decorrelated = rule == "danp"
    network = Network(
        shape,
        loss=chosen,
        weight_format=weight_format,
        antithetic=antithetic,
        learning_rate=eta if eta is not None else factor / max(units, 1),
        decorrelate=(decorrelated,) * (len(shape) - 1),
        decorrelation_rate=DECORRELATION_RATE if decorrelated else 0.0,
        sigma=sigma if sigma is not None else 1 / 32,
        seed=seed + 1,
    )
    samples = len(dataset.x_train)
    return Plan(
        data=data,
        target=target,
        task=cast("Task", dataset.task),
        rule=rule,
        network=network,
        epochs=epochs if epochs is not None else _EPOCHS.get(dataset.name, max(5, min(200, round(_STEPS / samples)))),
        falling=falling,
        seed=seed,
        reference=reference,
        board=board,
        virtual=dict(virtual or {}),
    )


def resumed(plan: Plan, random_state: int) -> Plan:
    """The plan with the random generator going on where the checkpoint left it."""
    return replace(plan, network=replace(plan.network, seed=random_state)) if random_state else plan
