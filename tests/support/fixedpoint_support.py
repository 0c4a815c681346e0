"""Access to the golden vectors, and a scalar training step that follows shared/numerics.md line by line."""

from __future__ import annotations

import importlib
import json
from types import ModuleType
from typing import Any

from places import VECTORS


def vector_module(name: str) -> ModuleType:
    """A module of shared/vectors: primitives, steps or generate."""
    return importlib.import_module(name)


def load(name: str) -> Any:
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


exact = vector_module("primitives")


class ScalarNetwork:
    """One network with Python integers and loops; the configuration is that of steps.json."""

    def __init__(self, configuration: dict[str, Any]) -> None:
        self.c = configuration
        self.sizes = configuration["sizes"]
        self.layers = list(zip(self.sizes, self.sizes[1:], strict=False))
        flat, self.state = exact.initial_weights(configuration["seed"], self.sizes)
        shift = 2**16 if configuration["weight_format"] else 1
        values = iter(w * shift for w in flat)
        self.rows = [[[next(values) for _ in range(n + 1)] for _ in range(units)] for n, units in self.layers]
        self.matrices = [
            [[16384 * (i == j) for j in range(n)] for i in range(n)] if configuration["decorrelate"] >> layer & 1 else None
            for layer, (n, _) in enumerate(self.layers)
        ]
        self.ring: list[int] = []
        self.saturations = self.skipped = 0
        self.word = 0

    def put(self, code: int) -> None:
        """The ring as a list, oldest last: position p of the ring is where code number p mod 200 went."""
        if len(self.ring) < 200:
            self.ring.append(code)
            self.position = len(self.ring) % 200
        else:
            self.ring[self.position] = code
            self.position = (self.position + 1) % 200

    def saturated(self, value: int, limited: int) -> int:
        self.saturations += value != limited
        return limited

    def sat16(self, value: int) -> int:
        return self.saturated(value, exact.sat16(value))

    def next_word(self) -> int:
        word = self.word
        if self.c["rounding"]:
            self.word = (word + 40503) % 2**16
        return word

    def product(self, rows: list[list[int]], x: list[int], shift: int) -> list[int]:
        return [self.sat16(exact.rounded(sum(a * b for a, b in zip(row, x, strict=True)), shift)) for row in rows]

    def layer(self, index: int, x: list[int]) -> tuple[list[int], list[int]]:
        """The layer's (decorrelated) input and z."""
        matrix = self.matrices[index]
        if matrix is not None:
            x = self.product(matrix, x, 14)
        rows = [[exact.floor_div(w, 16) if self.c["weight_format"] else w for w in row] for row in self.rows[index]]
        return x, self.product(rows, [*x, 4096], 12)

    def loss(self, y: list[int], t: list[int]) -> int:
        if self.c["loss"]:
            return int(exact.cross_entropy_loss(y, t[0]))
        total = sum(self.sat16(a - b) ** 2 for a, b in zip(y, t, strict=True))
        return self.saturated(total, min(total, 2**31 - 1))

    def train(self, x: list[int], target: list[int]) -> int:
        c, units = self.c, sum(self.sizes[1:])
        self.state = exact.xorshift32(self.state)
        start, stride, word = exact.draw(self.state)
        self.word = word if c["rounding"] else 32768
        if not hasattr(self, "gain"):
            configured = c["noise_std"] * 200 // 256
            self.gain, self.shift = exact.noise_gain(configured or exact.measured_deviation(self.ring), c["sigma"])
        noise = []
        for k in range(units if c["antithetic"] else 2 * units):
            v = exact.floor_div(200 * self.ring[(start + k * stride) % 200] - sum(self.ring), self.shift)
            noise.append(exact.rounded(self.sat16(v) * self.gain, 16))
        if c["antithetic"]:
            noise += [-n for n in noise]
        first_input, first_z = self.layer(0, x)
        inputs: list[list[int]] = []
        activations: list[list[list[int]]] = []
        losses = []
        for number in (0, 1):
            values = iter(noise[number * units :])
            activations.append([])
            for index in range(len(self.layers)):
                here, z = (first_input, first_z) if index == 0 else self.layer(index, x)
                if number == 0:
                    inputs.append(here)
                a = [self.sat16(each + next(values)) for each in z]
                activations[-1].append(a)
                x = [exact.leaky_relu(each) for each in a]
            losses.append(self.loss(activations[-1][-1], target))
        changes = [[self.sat16(a - b) for a, b in zip(one, two, strict=True)] for one, two in zip(*activations, strict=True)]
        total = sum(da * da for layer in changes for da in layer)
        energy = self.saturated(total, min(total, 2**32 - 1))
        if energy == 0 or losses[0] == losses[1]:
            self.skipped += 1
        elif c["learning_rate"]:
            g, exponent = exact.global_factor(losses[0] - losses[1], energy, c["learning_rate"] * units)
            for rows, layer_input, da in zip(self.rows, inputs, changes, strict=True):
                self.update(rows, layer_input, da, g, exponent)
        for matrix, xbar in zip(self.matrices, inputs, strict=True):
            if matrix is not None:
                self.update_matrix(matrix, xbar)
        return losses[0]

    def update(self, rows: list[list[int]], x: list[int], changes: list[int], g: int, exponent: int) -> None:
        h = exact.step_exponent(x) if self.c["normalised"] else 0
        s, k, shortened = exact.block_exponent(h, exponent, exact.bits(max(abs(da) for da in changes)))
        self.saturations += shortened
        for row, da in zip(rows, changes, strict=True):
            word = self.next_word()
            coefficient = exact.coefficient(g, da, word, k) if k <= 30 else 0
            for j, each in enumerate([*x, 4096]):
                word = self.next_word()
                if k > 30:
                    continue
                product = coefficient * each
                if not self.c["weight_format"]:
                    row[j] = self.sat16(row[j] + exact.floor_div(product + exact.dither(word, s), s))
                else:
                    step = exact.floor_div(product + exact.dither(word, 8), 8) if s == 24 else product * 2 ** (16 - s)
                    row[j] = self.saturated(row[j] + step, exact.sat32(row[j] + step))

    def update_matrix(self, matrix: list[list[int]], xbar: list[int]) -> None:
        n, rate = len(xbar), self.c["decorrelation_rate"]
        k = 37 - exact.bits(rate)
        u = [exact.rounded(sum(matrix[i][j] * xbar[i] for i in range(n)), 14) for j in range(n)]
        for i in range(n):
            c = -exact.floor_div(xbar[i] * exact.mantissa(rate, 15) + exact.dither(self.next_word(), k), k)
            for j in range(n):
                others = self.sat16(u[j] - exact.rounded(xbar[i] * matrix[i][j], 14))
                matrix[i][j] = self.sat16(matrix[i][j] + exact.floor_div(c * others + self.next_word(), 16))
