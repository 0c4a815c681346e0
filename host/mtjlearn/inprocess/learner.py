"""The C learner loaded into this process: exact runs at the speed of C, for validation and for tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtjlearn.fixedpoint import NoiseError
from mtjlearn.inprocess.loader import Library
from mtjlearn.network import NOISE_BUFFER, RATE_BITS, Network, WeightFormat, check_device

DEFINITIONS = """
struct anp_config {
    uint8_t loss, weight_format, rounding;
    bool normalised, antithetic;
    uint8_t decorrelate, rule, slope;
    uint16_t sigma, noise_std;
    uint32_t learning_rate, decorrelation_rate, seed;
    uint8_t layers;
    uint16_t sizes[9];
};
struct learner_counters {
    uint64_t loss_sum;
    uint32_t steps, skipped, saturations, last_loss, random_state, deviation, arena_used, received;
};
struct learner *learner_create(const struct anp_config *config, int *status);
void learner_destroy(struct learner *learner);
void learner_put_codes(struct learner *learner, const uint16_t *codes, uint32_t count);
uint32_t learner_train(struct learner *learner, const int16_t *x, const int16_t *targets, const uint32_t *order, uint32_t count,
                       const uint16_t *codes, uint32_t codes_per_step, uint32_t *losses);
void learner_predict(struct learner *learner, const int16_t *x, uint32_t count, int16_t *outputs);
uint64_t learner_evaluate(struct learner *learner, const int16_t *x, const int16_t *targets, uint32_t count, uint32_t *correct);
int learner_set_rates(struct learner *learner, uint32_t learning_rate, uint32_t decorrelation_rate);
uint8_t *learner_weights(struct learner *learner, uint32_t *bytes);
uint8_t *learner_matrices(struct learner *learner, uint32_t *bytes);
uint8_t *learner_feedback(struct learner *learner, uint32_t *bytes);
struct learner_counters learner_counters(const struct learner *learner);
"""
"""The C declarations of a library with a learner."""

_library = Library(DEFINITIONS)


@dataclass(frozen=True)
class Counters:
    """The learner's counters; losses in units of 2^-24, deviation in 1/200 codes, arena_used in bytes."""

    loss_sum: int
    steps: int
    skipped: int
    saturations: int
    last_loss: int
    random_state: int
    deviation: int
    arena_used: int
    received: int


def _int16(values: NDArray[np.integer]) -> NDArray[np.int16]:
    return np.ascontiguousarray(values, dtype="<i2")


class Learner:
    """One network with its noise buffer, in C, in this process.

    Args:
        network: the configuration, as for a board.
        library: another build of the learner, with DEFINITIONS.

    Raises:
        NetworkError: if no device can learn the network.
        ValueError: if the learner refuses the configuration.
    """

    def __init__(self, network: Network, library: Library = _library) -> None:
        check_device(network)
        ffi, lib = library.load()
        self._ffi, self._lib = ffi, lib
        self.network = network
        assert network.rounding is not None
        config = ffi.new(
            "struct anp_config *",
            {
                "loss": int(network.loss),
                "weight_format": int(network.weight_format),
                "rounding": int(network.rounding),
                "normalised": network.normalised,
                "antithetic": network.antithetic,
                "decorrelate": sum(1 << layer for layer, on in enumerate(network.decorrelate) if on),
                "rule": network.rule_code,
                "slope": network.shift,
                "sigma": network.sigma_q,
                "noise_std": network.noise_std_q,
                "learning_rate": network.learning_rate_q,
                "decorrelation_rate": network.decorrelation_rate_q,
                "seed": network.seed,
                "layers": network.layers,
                "sizes": list(network.sizes),
            },
        )
        status = ffi.new("int *")
        pointer = lib.learner_create(config, status)
        if pointer == ffi.NULL:
            raise ValueError(f"the learner refuses {network.name}: status {status[0]}")
        self._learner = ffi.gc(pointer, lib.learner_destroy)

    def put_codes(self, codes: NDArray[np.integer]) -> None:
        """Puts ADC codes, shape (n,), into the noise buffer."""
        data = np.ascontiguousarray(codes, dtype="<u2")
        self._lib.learner_put_codes(self._learner, self._pointer("const uint16_t *", data), data.size)

    def train(
        self,
        x: NDArray[np.integer],
        targets: NDArray[np.integer],
        order: NDArray[np.integer] | None = None,
        codes: NDArray[np.integer] | None = None,
    ) -> NDArray[np.uint32]:
        """Trains on samples, one step each.

        Args:
            x: inputs, shape (n, inputs), Q3.12.
            targets: shape (n, outputs), Q3.12, or (n, 1) classes.
            order: indices of samples in the order of training, shape (steps,); None uses them once in order.
            codes: ADC codes that arrive before each step, shape (steps, codes per step); None for none.

        Returns:
            The loss of pass 1 of each step, shape (steps,), in units of 2^-24.

        Raises:
            NoiseError: when the noise buffer is not full or shows no noise; steps before that are done.
        """
        x, targets = _int16(x), _int16(targets).reshape(len(x), -1)
        if x.shape != (len(x), self.network.sizes[0]) or targets.shape[1] != self.network.target_count:
            raise ValueError(f"samples of shape {x.shape} and targets of shape {targets.shape} do not fit {self.network.name}")
        indices = np.arange(len(x), dtype="<u4") if order is None else np.ascontiguousarray(order, dtype="<u4")
        if indices.size and indices.max() >= len(x):
            raise ValueError(f"order names sample {indices.max()} of {len(x)}")
        per_step = 0 if codes is None else codes.shape[1]
        data = np.zeros(1, dtype="<u2") if codes is None else np.ascontiguousarray(codes, dtype="<u2")
        losses = np.zeros(len(indices), dtype="<u4")
        done = self._lib.learner_train(
            self._learner,
            self._pointer("const int16_t *", x),
            self._pointer("const int16_t *", targets),
            self._pointer("const uint32_t *", indices),
            len(indices),
            self._pointer("const uint16_t *", data),
            per_step,
            self._pointer("uint32_t *", losses),
        )
        if done < len(indices):
            raise NoiseError(f"step {done}: the noise buffer needs {NOISE_BUFFER} codes that vary by a quarter of a code or more")
        return losses

    def predict(self, x: NDArray[np.integer]) -> NDArray[np.int16]:
        """Outputs without noise, shape (n, outputs), Q3.12, for inputs of shape (n, inputs)."""
        x = _int16(x)
        outputs = np.zeros((len(x), self.network.sizes[-1]), dtype="<i2")
        self._lib.learner_predict(self._learner, self._pointer("const int16_t *", x), len(x), self._pointer("int16_t *", outputs))
        return outputs

    def evaluate(self, x: NDArray[np.integer], targets: NDArray[np.integer]) -> tuple[int, int]:
        """Sum of losses (units of 2^-24) and number of right classifications, without noise."""
        x, targets = _int16(x), _int16(targets)
        correct = self._ffi.new("uint32_t *")
        total = self._lib.learner_evaluate(
            self._learner,
            self._pointer("const int16_t *", x),
            self._pointer("const int16_t *", targets),
            len(x),
            correct,
        )
        return int(total), int(correct[0])

    def set_rates(self, learning_rate: float, decorrelation_rate: float) -> None:
        """Changes eta and eps from the next step on.

        Raises:
            ValueError: if the learner refuses the decorrelation rate.
        """
        eta, eps = (round(rate * 2**RATE_BITS) for rate in (learning_rate, decorrelation_rate))
        if self._lib.learner_set_rates(self._learner, eta, eps):
            raise ValueError(f"decorrelation rate {decorrelation_rate} is outside 2^-21 .. 2^-6")

    @property
    def weights(self) -> list[NDArray[np.integer]]:
        """A view of each layer's rows, shape (units, inputs + 1), bias last, in the stored format; writing changes the network."""
        dtype = "<i4" if self.network.weight_format is WeightFormat.INT32 else "<i2"
        blob = self._view(self._lib.learner_weights, dtype)
        shapes = [(units, inputs + 1) for inputs, units in zip(self.network.sizes, self.network.sizes[1:], strict=False)]
        return _split(blob, shapes)

    @property
    def matrices(self) -> list[NDArray[np.integer] | None]:
        """A view of each layer's decorrelation matrix, shape (inputs, inputs), Q1.14, or None."""
        shapes = [(size, size) for size, on in zip(self.network.sizes, self.network.decorrelate, strict=False) if on]
        parts = iter(_split(self._view(self._lib.learner_matrices, "<i2"), shapes))
        return [next(parts) if on else None for on in self.network.decorrelate]

    @property
    def feedback(self) -> list[NDArray[np.integer]]:
        """A view of each hidden layer's feedback B, shape (units, outputs), Q3.12; of the rule feedback only."""
        if self.network.rule != "feedback":
            return []
        shapes = [(units, self.network.sizes[-1]) for units in self.network.sizes[1:-1]]
        return _split(self._view(self._lib.learner_feedback, "<i2"), shapes) if shapes else []

    @property
    def counters(self) -> Counters:
        """All counters as they are now."""
        raw = self._lib.learner_counters(self._learner)
        return Counters(**{name: int(getattr(raw, name)) for name in Counters.__dataclass_fields__})

    def _pointer(self, kind: str, array: NDArray[np.generic]) -> object:
        return self._ffi.cast(kind, self._ffi.from_buffer(array))

    def _view(self, getter: object, dtype: str) -> NDArray[np.integer]:
        size = self._ffi.new("uint32_t *")
        memory = getter(self._learner, size)  # type: ignore[operator]
        view: NDArray[np.integer] = np.frombuffer(self._ffi.buffer(memory, size[0]), dtype=dtype)
        return view


def _split(blob: NDArray[np.integer], shapes: list[tuple[int, int]]) -> list[NDArray[np.integer]]:
    ends: list[int] = np.cumsum([rows * columns for rows, columns in shapes])[:-1].tolist()
    return [part.reshape(shape) for part, shape in zip(np.split(blob, ends), shapes, strict=False)]
