"""ANP and DANP on handwritten digits in floats: what decorrelated inputs are worth in a deep network.

The noise is that of one simulated junction per unit, as in figure 4 of the paper; all networks start from the same weights.
"""

from __future__ import annotations

from mtjlearn.datasets import load
from mtjlearn.network import Loss, Network
from mtjlearn.noise import SimulatedSmtj
from mtjlearn.reference import Adam, Reference, Rule, shuffled

SIZES = (64, 50, 50, 50, 10)
SIGMA = 1 / 32


def main() -> None:
    """Prints the test accuracy of both after each few epochs."""
    data = load("digits", seed=0, scale="global")
    print("epochs    ANP   DANP")
    learners = [learner(epsilon) for epsilon in (0.0, 1e-3)]
    for done in range(3, 16, 3):
        for one in learners:
            one.train(data.x_train, data.y_train, 3, batch=64, order=shuffled(done, len(data.x_train)))
        accuracies = [one.evaluate(data.x_test, data.y_test).accuracy.item() for one in learners]
        print(f"{done:6}  {accuracies[0]:.3f}  {accuracies[1]:.3f}")


def learner(epsilon: float) -> Reference:
    """A network of the paper's shape; a decorrelation rate of 0 is plain ANP."""
    network = Network(
        SIZES,
        loss=Loss.CROSS_ENTROPY,
        normalised=False,
        learning_rate=2e-3,
        decorrelate=(epsilon > 0,) * (len(SIZES) - 1),
        decorrelation_rate=epsilon,
        sigma=SIGMA,
    )
    noise = SimulatedSmtj(sigma=SIGMA, layout="per_node", units=sum(SIZES[1:]), seed=1)
    return Reference(network, Rule.ANP, noise, optimiser=Adam(), dtype="float32", seed=1)


if __name__ == "__main__":
    main()
