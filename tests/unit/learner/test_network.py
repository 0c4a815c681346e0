"""A network's description has no limits; a device's are checked wherever a device is meant, and the refusal names them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from mtjlearn.board.board import configure_message
from mtjlearn.fixedpoint import FixedNetwork
from mtjlearn.inprocess import Learner
from mtjlearn.network import Loss, Network, NetworkError, check_device
from mtjlearn.noise import Gaussian
from mtjlearn.reference import Reference, Rule
from mtjlearn.training.defaults import default_plan
from mtjlearn.training.plan import Plan

BEYOND = {
    "9 layers": Network((2,) * 10),
    "1025 inputs": Network((1025, 2)),
    "101 units": Network((2, 100, 1)),
    "201 units": Network((2, 200, 1), antithetic=True),
    "learning rate 16.0": Network((2, 1), learning_rate=16.0),
    "learning rate 1e.300": Network((2, 1), learning_rate=1e300),
    "sigma 1e.305": Network((2, 1), sigma=1e305),
    "decorrelation rate 20": Network((2, 1), decorrelation_rate=20),
    "decorrelation rate 1e-09": Network((2, 1), decorrelate=(True,), decorrelation_rate=1e-9),
    "decorrelation rate 0.02 ": Network((2, 1), decorrelate=(True,), decorrelation_rate=0.02),
    "sigma 0.0 ": Network((2, 1), sigma=0.0),
    "sigma 1.0 ": Network((2, 1), sigma=1.0),
    "noise_std 256": Network((2, 1), noise_std=256),
    "seed 0 ": Network((2, 1), seed=0),
    "seed 4294967296": Network((2, 1), seed=2**32),
}


def planned(network: Network) -> Plan:
    plan = default_plan("xor", seed=0)
    return Plan.from_config({**plan.config(), "network": {**_written(plan.network), **_written(network)}})


def _written(network: Network) -> dict[str, object]:
    values = dict(vars(network))
    return {**values, **{name: values[name].name for name in ("loss", "weight_format", "rounding")}}


PLACES: dict[str, Callable[[Network], object]] = {
    "check": check_device,
    "network": Network.for_device,
    "board": configure_message,
    "integer model": FixedNetwork,
    "in-process learner": Learner,
    "plan": planned,
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("text", BEYOND)
def test_a_device_refuses_what_it_cannot_learn_and_names_the_limit(place: str, text: str) -> None:
    with pytest.raises(NetworkError, match=f"{text}.*: use |{text}.*, or |{text}.*: amplify") as refused:
        PLACES[place](BEYOND[text])
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("place", PLACES)
def test_the_last_that_a_device_can_learn_is_accepted(place: str) -> None:
    for network in (
        Network((2,) * 9),
        Network((2, 99, 1)),
        Network((2, 199, 1), antithetic=True),
        Network((2, 1), decorrelate=(True,), decorrelation_rate=2**-6),
        Network((2, 1), sigma=1 / 256, seed=2**32 - 1, learning_rate=16 - 2**-28),
    ):
        PLACES[place](network)


def test_the_device_refuses_rates_beyond_its_own_on_the_way() -> None:
    model = FixedNetwork(Network((2, 1)))
    with pytest.raises(NetworkError, match="learning rate 16"):
        model.set_rates(16.0, 0.0)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"sizes": (3,)}, "3 has no layer"),
        ({"sizes": ()}, "nothing has no layer"),
        ({"sizes": (3, 0, 2)}, "at least 1 unit"),
        ({"sizes": (3, 1), "loss": Loss.CROSS_ENTROPY}, "at least two outputs"),
        ({"sizes": (3, 1), "decorrelate": (True, True)}, "one flag for each of the 1 layers"),
        ({"sizes": (3, 1), "learning_rate": -0.1}, r"learning rate -0\.1 is not"),
        ({"sizes": (3, 1), "learning_rate": float("nan")}, "learning rate nan is not"),
        ({"sizes": (3, 1), "decorrelation_rate": float("inf")}, "decorrelation rate inf is not"),
        ({"sizes": (3, 1), "sigma": -1.0}, "sigma -1"),
        ({"sizes": (3, 1), "noise_std": -1.0}, "noise std -1"),
        ({"sizes": (3, 1), "seed": -1}, "seed -1"),
    ],
)
def test_what_makes_no_sense_is_refused_everywhere(wrong: dict[str, object], text: str) -> None:
    with pytest.raises(NetworkError, match=text):
        Network(**wrong)  # type: ignore[arg-type]


def test_the_reference_trains_what_no_device_can() -> None:
    network = Network((30, *(20,) * 9, 5), learning_rate=1e-3, decorrelate=(True,) * 10, decorrelation_rate=1e-9, sigma=2.0, seed=0)
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(8, 30)), rng.normal(size=(8, 5))
    history = Reference(network, Rule.ANP, Gaussian(network.sigma)).train(x, t, 1, batch=4)
    assert np.isfinite(history.losses).all()


@pytest.mark.parametrize(
    ("antithetic", "said"), [(False, "which serve 100 units (200 with --antithetic): "), (True, "which serve 200 units: ")]
)
def test_the_limit_of_units_names_the_way_to_more(antithetic: bool, said: str) -> None:
    with pytest.raises(NetworkError) as refused:
        check_device(Network((2, 200, 1), antithetic=antithetic))
    assert said in str(refused.value)
