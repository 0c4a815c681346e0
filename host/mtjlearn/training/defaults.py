"""What a training does where the user left it open: loss, network, epochs, rates, scaling of the inputs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mtjlearn.datasets import (
    IMAGES,
    NAMES,
    Augmentation,
    Columns,
    Dataset,
    DatasetError,
    Scale,
    Task,
    default_network_sizes,
)
from mtjlearn.datasets.download import Progress
from mtjlearn.network import (
    BOARD_RULES,
    EXACT_RATES,
    Loss,
    Network,
    NetworkError,
    RuleName,
    WeightFormat,
    device_rule,
    slope_exponent,
)
from mtjlearn.schedule import ScheduleName
from mtjlearn.training.float_options import NO_BOARD, FloatOptions
from mtjlearn.training.plan import Plan, load_data

DECORRELATION_RATE = 2**-12
"""Of columns that are scaled one by one, which leaves less to decorrelate."""
GLOBAL_DECORRELATION_RATE = 2**-14
"""Of inputs that share one scale."""
ADAM_RATE = 1e-3
"""Learning rate of Adam, whatever the network."""

# mtjlearn.experiments.rates measures what these rates buy, next to others.
_STEPS = 30_000
_EPOCHS = {"teacher": 20, "xor": 100, "iris": 100, "wine": 100, "breast-cancer": 50, "digits": 80}
_CROSS_ENTROPY_FACTOR, _CROSS_ENTROPY_FACTORS = 2.0, {"digits": 4.0}
SQUARED_FACTOR, XOR_FACTOR = 0.3, 0.8
"""Learning rate times units with the squared loss. XOR's minimum is wide."""
_SQUARED_FACTORS = {"xor": XOR_FACTOR}
_ONE_UNIT = ("digits", *IMAGES)
"""Data whose inputs all have the same unit: pixels."""


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
    epsilon: float | None = None,
    weight_format: WeightFormat = WeightFormat.INT16,
    antithetic: bool = False,
    plain_step: bool = False,
    slope: float | None = None,
    schedule: ScheduleName = "halving",
    reference: bool = True,
    board: str | None = None,
    virtual: Mapping[str, Any] | None = None,
    columns: Columns | None = None,
    scale: Scale | None = None,
    data_dir: str | Path | None = None,
    samples: int | None = None,
    pool: int = 1,
    floats: FloatOptions | None = None,
    progress: Progress | None = None,
) -> Plan:
    """Fills in what the user left open: cross-entropy for classes, a network that suits, about 30,000 steps for a file.

    Args:
        data: name of a built-in dataset or an image set, or path of a file.
        seed: of the split, the weights, the order of the samples and a virtual board's noise.
        rule: learning rule.
        target: target column of a file.
        task: classification or regression; None: seen from the data.
        loss: loss function; None: cross-entropy for classes, else squared error.
        sizes: of the network; None: one hidden layer that suits.
        epochs: passes through the training part.
        eta: learning rate.
        sigma: standard deviation of a unit's noise.
        epsilon: rate of the decorrelation of danp; None: 2^-14 where the inputs share one scale, else 2^-12.
        weight_format: storage of the weights.
        antithetic: the second pass uses the noise of the first, negated, as it always does with anp-exact and feedback.
        plain_step: eq. 4 as printed: the step is not divided by 1 + ||x||^2.
        slope: of the hidden units' leaky ReLU, a power of two; None: 1/8 with anp-exact and feedback, else 1/128.
        schedule: how the learning rate falls: ``halving``, ``stepped`` or ``constant`` (:mod:`mtjlearn.schedule`).
        reference: train the float reference too; it learns anyway where no board does.
        board: name of the board; None for the only one connected, or for none; "none": the float reference alone.
        virtual: options of a virtual board that were asked for.
        columns: which columns of a file are inputs; None: all but the target and an index.
        scale: of the inputs; None: one for all of images, and of digits with danp; else each column its own.
        data_dir: folder of an image set's files.
        samples: the first ones of the training part that are learned from; None: all.
        pool: the mean of this many times this many pixels of an image is one input.
        floats: what only the float reference can do.
        progress: of a download.

    Raises:
        DatasetError: if the data cannot be used, or do not fit the network.
        NetworkError: if the network cannot be, or a board cannot do what was asked.
    """
    columns = columns or Columns()
    floats = floats or FloatOptions()
    _check_options(rule, board, floats, epsilon, sigma, slope)
    chosen_scale = scale or default_scale(data, rule)
    folder = None if data_dir is None else str(Path(data_dir).resolve())
    dataset = load_data(
        data,
        seed=seed,
        target=target,
        task=task,
        columns=columns,
        scale=chosen_scale,
        data_dir=folder,
        samples=samples,
        pool=pool,
        reading=floats.reading,
        progress=progress,
    )
    if floats.augment:
        Augmentation.of(dataset, seed)
    chosen = _loss(dataset, loss)
    shape = sizes if sizes is not None else default_network_sizes(dataset, chosen)
    plain = plain_step or floats.reading == "code"
    network = Network(
        shape,
        loss=chosen,
        weight_format=weight_format,
        antithetic=antithetic or rule in EXACT_RATES,
        normalised=not plain,
        learning_rate=eta if eta is not None else _rate(data, rule, chosen, shape, plain, floats),
        decorrelate=(rule == "danp",) * (len(shape) - 1),
        decorrelation_rate=_decorrelation_rate(rule, epsilon, chosen_scale),
        sigma=sigma if sigma is not None else 1 / 32,
        seed=seed + 1,
        rule=device_rule(rule),
        slope=None if slope is None else slope_exponent(slope),
    )
    plan = Plan(
        data=data if data in NAMES else str(Path(data).resolve()),
        target=target,
        task=dataset.task,
        rule=rule,
        network=network,
        epochs=epochs if epochs is not None else _EPOCHS.get(data, max(5, min(200, round(_STEPS / len(dataset.x_train))))),
        schedule=schedule,
        seed=seed,
        reference=reference or rule not in BOARD_RULES or board == NO_BOARD,
        board=board,
        virtual=dict(virtual or {}),
        columns=columns,
        scale=chosen_scale,
        data_dir=folder,
        samples=samples,
        pool=pool,
        floats=floats,
        loaded=dataset,
    )
    plan.quantised  # noqa: B018 (raises if the data do not fit)
    return plan


def default_scale(data: str, rule: RuleName) -> Scale:
    """One scale for all inputs of images; of digits with danp, which gains by it; else each column its own.

    A layer's inputs that were scaled one by one have lost what DANP would undo. Columns of a table have different units, and
    one scale for all of them would leave most of them without a voice.
    """
    return "global" if data in IMAGES or (rule == "danp" and data in _ONE_UNIT) else "column"


def _check_options(
    rule: RuleName, board: str | None, floats: FloatOptions, epsilon: float | None, sigma: float | None, slope: float | None
) -> None:
    """Refuses options that contradict each other, before data are read or downloaded."""
    if rule in BOARD_RULES and board != NO_BOARD:
        floats.check_board()
    if rule != "danp" and epsilon is not None:
        raise NetworkError(f"--epsilon is the rate of danp's decorrelation, and {rule} has none; omit it, or use --rule danp")
    if rule != "danp" and floats.centring:
        raise NetworkError(f"--centring goes with decorrelation, and {rule} decorrelates nothing; omit it, or use --rule danp")
    if floats.reading == "code" and rule in EXACT_RATES:
        raise NetworkError(f"the authors' code has no rule {rule}; omit --as, or use --rule anp")
    if floats.reading == "code" and slope is not None:
        raise NetworkError("the authors' code has a slope of its own, 0.01; omit --slope, or use --as paper")
    if floats.reading == "code" and rule in BOARD_RULES and sigma is not None:
        raise NetworkError("the authors' code adds the junctions' voltages as they are; omit --sigma, or use --as paper")


def _loss(dataset: Dataset, loss: Loss | None) -> Loss:
    chosen = loss if loss is not None else Loss.SQUARED if dataset.classes is None else Loss.CROSS_ENTROPY
    if chosen is Loss.CROSS_ENTROPY and dataset.classes is None:
        raise DatasetError(
            f"{dataset.name} is a regression, and cross-entropy needs classes: use the squared loss, or --task classification"
        )
    return chosen


def _rate(data: str, rule: RuleName, loss: Loss, shape: tuple[int, ...], plain: bool, floats: FloatOptions) -> float:
    """The learning rate; a plain step gets what a normalised one has where ||x||^2 is the number of inputs."""
    if floats.optimiser == "adam":
        return ADAM_RATE
    if rule in EXACT_RATES:
        rate = EXACT_RATES[rule][loss]
    elif loss is Loss.CROSS_ENTROPY:
        rate = _CROSS_ENTROPY_FACTORS.get(data, _CROSS_ENTROPY_FACTOR) / max(sum(shape[1:]), 1)
    else:
        rate = _SQUARED_FACTORS.get(data, SQUARED_FACTOR) / max(sum(shape[1:]), 1)
    if plain:
        rate /= 2 ** max(shape[:-1]).bit_length()
    return rate / floats.batch if floats.reading == "code" else rate


def _decorrelation_rate(rule: RuleName, epsilon: float | None, scale: Scale) -> float:
    if rule != "danp":
        return 0.0
    if epsilon is not None:
        return epsilon
    return GLOBAL_DECORRELATION_RATE if scale == "global" else DECORRELATION_RATE
