"""Whole training steps: the cases, the stimulus they describe, and what the integer model makes of them (README.md)."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np

from mtjlearn.fixedpoint import FixedNetwork
from mtjlearn.network import DEVICE_RULES, FRACTION_BITS, RATE_BITS, Loss, Network, Rounding, WeightFormat

Case = dict[str, Any]

INLINE_PARAMETERS = 80
"""Larger blobs are given by their CRC-32."""


class Stimulus:
    """The generator of README.md: codes, inputs and targets as one stream."""

    def __init__(self, seed: int) -> None:
        self._state = seed

    def values(self, limits: list[int], count: int) -> list[int]:
        """``count`` integers between the limits, both included."""
        low, high = limits
        return [low + ((self._next() * (high - low + 1)) >> 16) for _ in range(count)]

    def _next(self) -> int:
        state = self._state
        state ^= (state << 13) & 0xFFFFFFFF
        state ^= state >> 17
        state ^= (state << 5) & 0xFFFFFFFF
        self._state = state
        return state >> 16


def network_of(configuration: Case) -> Network:
    """The network of a case's configuration, whose numbers are those of the wire."""
    layers = len(configuration["sizes"]) - 1
    return Network(
        sizes=tuple(configuration["sizes"]),
        loss=Loss(configuration["loss"]),
        weight_format=WeightFormat(configuration["weight_format"]),
        rounding=Rounding(configuration["rounding"]),
        normalised=bool(configuration["normalised"]),
        antithetic=bool(configuration["antithetic"]),
        decorrelate=tuple(bool(configuration["decorrelate"] >> layer & 1) for layer in range(layers)),
        rule=DEVICE_RULES[configuration.get("rule", 0)],
        slope=configuration.get("slope"),
        learning_rate=configuration["learning_rate"] / 2**RATE_BITS,
        decorrelation_rate=configuration["decorrelation_rate"] / 2**RATE_BITS,
        sigma=configuration["sigma"] / 2**FRACTION_BITS,
        noise_std=configuration["noise_std"] / 2**8,
        seed=configuration["seed"],
    )


def blob(name: str, arrays: list[Any]) -> Case:
    """Parameters of one replica as one list, or the CRC-32 of their little-endian bytes."""
    flat = [array.ravel().astype(array.dtype.newbyteorder("<")) for array in arrays]
    values = np.concatenate(flat) if flat else np.zeros(0, dtype="<i2")
    if values.size > INLINE_PARAMETERS:
        return {f"{name}_crc32": zlib.crc32(values.tobytes())}
    return {name: values.tolist()}


def run(case: Case, make: Callable[[Network], FixedNetwork] = FixedNetwork) -> Case:
    """What the model ``make`` builds comes to in a case: the case's ``expected``."""
    network = network_of(case["configuration"])
    model = make(network)
    drive = case["stimulus"]
    stimulus = Stimulus(drive["seed"])

    def sample() -> tuple[list[int], list[int]]:
        inputs = stimulus.values(drive["inputs"], network.sizes[0])
        return inputs, stimulus.values(drive["targets"], network.target_count)

    if "initial_weights" in case:
        flat, shaped = np.array(case["initial_weights"]), []
        for rows in model.weights:
            shaped.append(flat[: rows[0].size].reshape(rows[0].shape))
            flat = flat[rows[0].size :]
        model.set_weights(shaped)
    model.put_codes(stimulus.values(drive["codes"], 200))
    rates = {step: (eta, eps) for step, eta, eps in case.get("rates", [])}
    losses = []
    for step in range(case["steps"]):
        if step in rates:
            eta, eps = rates[step]
            model.set_rates(eta / 2**RATE_BITS, eps / 2**RATE_BITS)
        model.put_codes(stimulus.values(drive["codes"], drive["codes_per_step"]))
        losses.append(int(model.train(*sample())[0]))
    inputs, targets = sample()
    outputs = model.predict(inputs)[0]
    loss, correct = model.evaluate(inputs, targets)
    return {
        "losses": losses,
        "deviation": int(model.deviation[0]),
        "random_state": int(model.random_state[0]),
        "skipped": int(model.skipped[0]),
        "saturations": int(model.saturations[0]),
        **blob("weights", [rows[0] for rows in model.weights]),
        **blob("matrices", [matrix[0] for matrix in model.matrices if matrix is not None]),
        **(blob("feedback", [rows[0] for rows in model.feedback]) if "rule" in case["configuration"] else {}),
        "prediction": outputs.tolist(),
        "evaluation": [int(loss[0]), int(correct[0])],
    }


def _case(name: str, number: int, sizes: list[int], steps: int = 20, **changes: Any) -> Case:
    """A case with the usual values where nothing else is asked."""
    loss = changes.pop("loss", 0)
    case: Case = {
        "name": name,
        "configuration": {
            "sizes": sizes,
            "loss": loss,
            "weight_format": 0,
            "rounding": 1,
            "normalised": 1,
            "antithetic": 0,
            "decorrelate": 0,
            "sigma": 128,
            "noise_std": 0,
            "learning_rate": 2**24,
            "decorrelation_rate": 0,
            "seed": 1000003 * number + 17,
        },
        "stimulus": {
            "seed": 777767777 + 65537 * number,
            "codes": [100, 180],
            "codes_per_step": 3,
            "inputs": [-8192, 8192],
            "targets": [0, sizes[-1] - 1] if loss else [-4096, 4096],
        },
        "steps": steps,
    }
    for key, value in changes.items():
        place = next((part for part in (case["configuration"], case["stimulus"]) if key in part), case)
        place[key] = value
    return case


def cases() -> Iterator[Case]:
    """All options in all combinations on networks in turn, then the corners of the arithmetic."""
    number = 0
    options = product((0, 1), (0, 1), (0, 1), (0, 1), (0, 1), (0, 1))
    networks = (([2, 2, 2, 1], [2, 4, 1], [4, 8, 3], [64, 10]), ([4, 8, 3], [64, 10], [2, 4, 2], [5, 4, 4, 3]))
    for number, (loss, danp, weight_format, antithetic, normalised, rounding) in enumerate(options):
        sizes = networks[loss][(number + number // 4 + number // 16) % 4]
        name = "-".join(
            (
                "x".join(str(size) for size in sizes),
                ("squared", "cross_entropy")[loss],
                ("anp", "danp")[danp],
                ("int16", "int32")[weight_format],
                ("plain", "antithetic")[antithetic],
                ("fixed", "normalised")[normalised],
                ("nearest", "stochastic")[rounding],
            )
        )
        yield _case(
            name,
            number,
            sizes,
            20 if sizes[0] < 64 else 8,
            loss=loss,
            weight_format=weight_format,
            antithetic=antithetic,
            normalised=normalised,
            rounding=rounding,
            decorrelate=(2 ** (len(sizes) - 1) - 1, 1)[number % 3 == 0] * danp,
            decorrelation_rate=2 ** (14 + number % 8) * danp,
            learning_rate=(2**26, 2**24, 2**22)[number % 3] >> (0 if normalised or sizes[0] < 64 else 4),
            codes_per_step=number % 8,
            inputs=[-4096, 4096] if sizes[0] == 64 else [-8192, 8192],
        )
    # Noise far above its configured deviation, at full scale everywhere: every saturation there is.
    wild = {"noise_std": 5243, "sigma": 4095, "codes": [0, 1023], "inputs": [-32767, 32767], "learning_rate": 2**30}
    corners: list[tuple[str, list[int], Case]] = [
        ("full_scale", [4, 8, 3], {**wild, "targets": [-32767, 32767]}),
        ("full_scale_int32", [4, 8, 3], {**wild, "targets": [-32767, 32767], "weight_format": 1, "rounding": 0}),
        ("full_scale_classes", [4, 8, 3], {**wild, "loss": 1, "normalised": 0}),
        (
            "full_scale_decorrelated",
            [3, 4, 3],
            {**wild, "targets": [-32767, 32767], "decorrelate": 3, "decorrelation_rate": 2**22},
        ),
        (
            "full_scale_weights",
            [2, 2, 1],
            {"initial_weights": [32767, -32767, 32767, 32767, 32767, -32767, -32767, 32767, -32767]},
        ),
        (
            "full_scale_weights_int32",
            [2, 2, 1],
            {
                "initial_weights": [
                    2**31 - 1,
                    1 - 2**31,
                    2**31 - 1,
                    2**31 - 1,
                    2**31 - 1,
                    1 - 2**31,
                    1 - 2**31,
                    2**31 - 1,
                    5,
                ],
                "weight_format": 1,
                "learning_rate": 2**30,
            },
        ),
        ("shortened", [2, 4, 1], {"learning_rate": 2**32 - 1, "normalised": 0, "targets": [-32767, 32767]}),
        ("below_resolution", [4, 8, 3], {"learning_rate": 1, "decorrelate": 3, "decorrelation_rate": 2**20}),
        ("tiny_rate_int32", [4, 8, 3], {"learning_rate": 1, "weight_format": 1, "normalised": 0}),
        (
            "longest_shift",
            [2, 2, 1],
            {**wild, "learning_rate": 1, "weight_format": 1, "normalised": 0, "targets": [-32767, 32767], "steps": 40},
        ),
        ("frozen", [4, 8, 3], {"learning_rate": 0, "decorrelate": 3, "decorrelation_rate": 2**21}),
        ("decorrelate_last", [3, 4, 2], {"decorrelate": 2, "decorrelation_rate": 2**21}),
        ("decorrelation_slowest", [3, 2], {"decorrelate": 1, "decorrelation_rate": 128}),
        ("two_levels_skip", [1, 1], {"codes": [500, 501], "codes_per_step": 1, "steps": 40}),
        (
            "two_levels_skip_decorrelated",
            [2, 1],
            {"codes": [500, 501], "codes_per_step": 1, "steps": 40, "decorrelate": 1, "decorrelation_rate": 2**20},
        ),
        ("same_target", [2, 2, 1], {"inputs": [0, 0], "targets": [4096, 4096]}),
        ("codes_16_bit", [2, 2, 2, 1], {"codes": [0, 65535], "sigma": 4095}),
        ("codes_14_bit", [2, 4, 1], {"codes": [9000, 16383], "sigma": 16}),
        ("ring_turned_over", [2, 4, 1], {"codes_per_step": 230, "steps": 6}),
        ("configured_noise", [2, 2, 2, 1], {"noise_std": 5965}),
        (
            "rates_changed",
            [4, 8, 3],
            {"rates": [[5, 2**26, 2**20], [12, 0, 2**18]], "decorrelate": 1, "decorrelation_rate": 2**21},
        ),
        ("eight_layers", [2, 3, 2, 3, 2, 3, 2, 3, 2], {"loss": 1, "antithetic": 1}),
        ("units_100", [2, 98, 2], {"steps": 6}),
        ("units_200_antithetic", [2, 199, 1], {"antithetic": 1, "steps": 6}),
        ("digits", [64, 32, 10], {"loss": 1, "steps": 6, "inputs": [0, 4096]}),
        ("long", [2, 2, 2, 1], {"steps": 150, "codes_per_step": 1, "learning_rate": 2**25}),
    ]
    for name, sizes, changes in corners:
        number += 1
        yield _case(name, number, sizes, **changes)


def _of_rule(case: Case, rule: int, slope: int) -> Case:
    """The case by another rule: its configuration says which, behind all else."""
    case["configuration"] |= {"rule": rule, "slope": slope}
    return case


def rule_cases() -> Iterator[Case]:
    """The rules of section 13 with all options, slopes of all kinds, and their corners."""
    number = 1000
    networks = (([2, 3, 1], [4, 8, 3], [3, 4, 5, 2], [5, 3]), ([4, 8, 3], [64, 10], [5, 4, 4, 3], [3, 2]))
    for rule, loss, danp, weight_format, normalised in product((1, 2), (0, 1), (0, 1), (0, 1), (0, 1)):
        number += 1
        sizes = networks[loss][(number + number // 4 + number // 16) % 4]
        name = "-".join(
            (
                "x".join(str(size) for size in sizes),
                ("anp_exact", "feedback")[rule - 1],
                ("squared", "cross_entropy")[loss],
                ("whole", "decorrelated")[danp],
                ("int16", "int32")[weight_format],
                ("fixed", "normalised")[normalised],
            )
        )
        case = _case(
            name,
            number,
            sizes,
            20 if sizes[0] < 64 else 8,
            loss=loss,
            weight_format=weight_format,
            antithetic=number // 2 % 2,
            normalised=normalised,
            rounding=int(number % 3 > 0),
            decorrelate=(2 ** (len(sizes) - 1) - 1, 1)[number % 3 == 0] * danp,
            decorrelation_rate=2 ** (14 + number % 8) * danp,
            learning_rate=(2**27, 2**25, 2**23)[number % 3] >> (0 if normalised or sizes[0] < 64 else 4),
            codes_per_step=number % 8,
            inputs=[-4096, 4096] if sizes[0] == 64 else [-8192, 8192],
        )
        yield _of_rule(case, rule, (3, 7, 1, 12)[number % 4])
    wild = {"noise_std": 5243, "sigma": 4095, "codes": [0, 1023], "inputs": [-32767, 32767], "learning_rate": 2**30}
    corners: list[tuple[str, list[int], Case]] = [
        ("full_scale", [4, 8, 5, 3], {**wild, "targets": [-32767, 32767], "steps": 40}),
        ("full_scale_int32", [4, 8, 3], {**wild, "targets": [-32767, 32767], "weight_format": 1, "rounding": 0}),
        ("full_scale_classes", [4, 8, 3], {**wild, "loss": 1, "normalised": 0}),
        ("shortened", [2, 4, 1], {"learning_rate": 2**32 - 1, "normalised": 0, "targets": [-32767, 32767]}),
        ("below_resolution", [4, 8, 3], {"learning_rate": 1}),
        ("frozen", [4, 8, 3], {"learning_rate": 0, "decorrelate": 3, "decorrelation_rate": 2**21}),
        ("two_levels_skip", [1, 1, 1], {"codes": [500, 501], "codes_per_step": 1, "steps": 40}),
        ("rates_changed", [4, 8, 3], {"rates": [[5, 2**26, 0], [12, 0, 0], [15, 2**25, 0]]}),
        ("eight_layers", [2, 3, 2, 3, 2, 3, 2, 3, 2], {"loss": 1, "antithetic": 1}),
        ("hidden_100", [2, 100, 60], {"steps": 6}),
        ("hidden_199_antithetic", [2, 199, 1], {"antithetic": 1, "steps": 6}),
        ("one_layer_of_200", [2, 200], {"steps": 6}),
        ("long", [2, 3, 1], {"steps": 150, "codes_per_step": 1, "learning_rate": 2**27}),
    ]
    for rule in (1, 2):
        for name, sizes, changes in corners:
            number += 1
            yield _of_rule(_case(f"{('anp_exact', 'feedback')[rule - 1]}_{name}", number, sizes, **changes), rule, 3)
    for slope in (1, 3, 8, 12):
        number += 1
        yield _of_rule(_case(f"anp_slope_{slope}", number, [4, 8, 4, 3]), 0, slope)
