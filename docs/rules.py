"""Draws docs/images/rules.png and prints the numbers of docs/rules.md: steps until XOR and iris are learned, rule by rule.

Floats with Gaussian noise, one sample a step, constant rates, which are those that docs/rules.md names. About a minute.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtjlearn.datasets import load
from mtjlearn.network import Loss, Network, device_rule
from mtjlearn.noise import Gaussian
from mtjlearn.plots import write_figure
from mtjlearn.reference import Reference, Rule

IMAGE = Path(__file__).parent / "images" / "rules.png"
XOR = np.array([[-1.0, -1], [1, -1], [-1, 1], [1, 1]]), np.array([[-1.0], [1], [1], [-1]])
RATES = {
    "XOR 2-3-1": {Rule.ANP: 0.2, Rule.ANP_EXACT: 0.3, Rule.FEEDBACK: 0.4, Rule.BP: 0.2},
    "iris 4-8-3": {Rule.ANP: 0.5, Rule.ANP_EXACT: 1.0, Rule.FEEDBACK: 2.0, Rule.BP: 1.0},
}
STARTS = {"XOR 2-3-1": 1000, "iris 4-8-3": 200}
STEPS = {"XOR 2-3-1": 400, "iris 4-8-3": 800}
EVERY = {"XOR 2-3-1": 1, "iris 4-8-3": 5}
"""Steps between two looks at how well it does."""


def steps_to_target(task: str, rule: Rule, seed: int = 1) -> NDArray[np.float64]:
    """Steps until each start has learned a task, (starts,); infinite where it does not within STEPS.

    XOR: a mean squared error of at most 0.1. Iris: 95 % of the training part are classified right.
    """
    xor = task.startswith("XOR")
    if xor:
        x, target = XOR
    else:
        dataset = load("iris", seed=0)
        x, target = dataset.x_train, dataset.y_train
    starts = STARTS[task]
    network = Network(
        (2, 3, 1) if xor else (4, 8, 3),
        loss=Loss.SQUARED if xor else Loss.CROSS_ENTROPY,
        rule=device_rule(rule.value),
        antithetic=True,
        learning_rate=RATES[task][rule],
    )
    noise = None if rule is Rule.BP else Gaussian(network.sigma, starts, seed=seed)
    reference = Reference(network, rule, noise, replicas=starts, seed=seed)
    generator = np.random.default_rng(seed)
    learned = np.full(starts, np.inf)
    for step in range(STEPS[task]):
        if step % len(x) == 0:
            order = np.argsort(generator.random((starts, len(x))), axis=1)
        chosen = order[:, step % len(x)]
        reference.step(x[chosen][:, None], target[chosen][:, None])
        if (step + 1) % EVERY[task] == 0:
            found = reference.evaluate(x, target)
            good = found.loss <= 0.1 if xor else found.accuracy >= 0.95
            learned = np.where(np.isinf(learned) & good, step + 1, learned)
    return learned


def main() -> None:
    """Computes, prints and draws."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.4), layout="constrained")
    for axes, (task, rates) in zip(figure.subplots(1, 2), RATES.items(), strict=True):
        for rule in rates:
            learned = np.sort(steps_to_target(task, rule))
            reached = np.isfinite(learned)
            print(f"{task} {rule.value:9} median {np.median(learned[reached]):.0f} steps, {reached.mean():.2f} of the starts")
            axes.step(learned[reached], np.arange(1, reached.sum() + 1) / len(learned), where="post", label=rule.value)
        axes.set(title=f"{task}, {STARTS[task]:,} starts", xlabel="training steps", xlim=(0, STEPS[task]), ylim=(0, 1))
    figure.axes[0].set_ylabel("share of the starts that have learned it")
    figure.axes[1].legend(loc="lower right")
    write_figure(figure, IMAGE, 120)
    print(f"drawn: {IMAGE}")


if __name__ == "__main__":
    main()
