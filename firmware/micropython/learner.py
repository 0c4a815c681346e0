"""Activity-based node perturbation (ANP) on a microcontroller: the public interface of the learner.

The arithmetic is specified bit for bit in shared/numerics.md (section numbers refer to it). A training step allocates nothing, so
that no garbage is collected in it, and every number in it stays below 2^30: a Pico's small integers have 31 bits. Functions
marked for viper become machine code on ports that compile it; elsewhere the same text runs as bytecode.

Use: fill a Config; Network.configure() lays the network out in the caller's arena; Noise.put_all() ADC codes between training
steps until Noise.ready(); Network.train() one sample after the other; Network.predict() without noise at any time. Inputs,
targets and outputs are halves (halves.py): an array, and the place of the first value in it.

The C firmware's counterpart is firmware/lib/anp/src/anp.h.
"""

if False:
    from kinds import Halves

import array
import gc

from decorrelation import update_matrices
from forward import draw_rows, run_clean, run_passes
from halves import bytes_of, halves, number_at, put_number
from loss import cross_entropy, is_correct, squared_loss
from micropython import const
from noise import NOISE_BUFFER, Noise, bits_of, draw_noise, isqrt, random_next  # noqa: F401
from rules import RULE_ANP, RULE_FEEDBACK, train_by_error
from update import count_step, global_factor, update_weights

FRACTION_BITS = const(12)
WEIGHT32_BITS = const(28)
MATRIX_BITS = const(14)
LOSS_BITS = const(24)
MAX_LAYERS = const(8)
MAX_WIDTH = const(1024)

SQUARED = const(0)
CROSS_ENTROPY = const(1)
INT16 = const(0)
INT32 = const(1)
NEAREST = const(0)
STOCHASTIC = const(1)
SLOPE = const(7)
_SLOPE_EXACT = const(3)
_SLOPE_MAX = const(12)

# Why a configuration is refused.
OK = const(0)
BAD_LOSS = const(1)
BAD_WEIGHT_FORMAT = const(2)
BAD_ROUNDING = const(3)
BAD_DECORRELATE = const(4)
BAD_SIGMA = const(5)
BAD_DECORRELATION_RATE = const(6)
BAD_SEED = const(7)
BAD_SIZES = const(8)
TOO_MANY_UNITS = const(9)
TOO_LARGE = const(10)
BAD_RULE = const(11)
BAD_SLOPE = const(12)

# Places in Network.plan: what the kernels need of a network.
_UNITS = const(0)
_LAYERS = const(1)
_WIDE = const(2)
_ANTITHETIC = const(3)
_STOCHASTIC = const(4)
_NORMALISED = const(5)
_ETA = const(6)
_ETA_BITS = const(7)
_VALUES = const(8)
_DECORRELATED = const(9)
_PROJECTION = const(10)
_RATE = const(11)
_RATE_SHIFT = const(12)
_OUTPUTS = const(13)
_LOSS = const(18)
_DECORRELATES = const(22)
_CROSS_ENTROPY = const(23)
_OUT = const(24)
_SLOPE = const(25)
_NOISY = const(26)
_BEGIN = const(27)
_END = const(28)
_RULE = const(29)
_DELTA = const(30)
_DELTA_EXPONENT = const(31)
_FEEDBACK = const(32)
_FIRST = const(33)

# Places in the plan from a layer's beginning on. A place 0 in the arena: no matrix, or the input is the sample itself.
_LAYER = const(6)
_INPUTS = const(0)
_LAYER_UNITS = const(1)
_ROWS = const(2)
_MATRIX = const(3)
_INPUT = const(4)
_DIFFERENCE = const(5)

# Places in Network.counters.
_COUNTED_RANDOM = const(0)
_COUNTED_SATURATIONS = const(2)
COUNTED_STEPS = const(4)
_COUNTED_SKIPPED = const(6)
COUNTED_LAST_LOSS = const(8)
_COUNTED_LOSS_SUM = const(10)

_SIGMA_MIN = const(16)
_SIGMA_MAX = const(4095)
_DECORRELATION_RATE_MIN = const(128)
_DECORRELATION_RATE_MAX = const(4194304)
_LAYER_BYTES = const(20)
_ONE14 = const(16384)


class Config:
    """What a network is; the fields of struct anp_config. Who has handed it to a network does not change it afterwards."""

    def __init__(self) -> None:
        self.loss = SQUARED
        self.weight_format = INT16
        self.rounding = NEAREST
        self.normalised = False
        self.antithetic = False
        self.decorrelate = 0
        self.rule = RULE_ANP
        self.slope = SLOPE
        self.sigma = 0
        self.noise_std = 0
        self.learning_rate = 0
        self.decorrelation_rate = 0
        self.seed = 0
        self.layers = 0
        self.sizes: tuple[int, ...] = ()


def _count_units(config: Config) -> int:
    return sum(config.sizes[1 : config.layers + 1])


def _count_noisy(config: Config) -> int:
    return _count_units(config) - (config.sizes[config.layers] if config.rule != RULE_ANP else 0)


def _rate_ok(config: Config, rate: int) -> bool:
    return not config.decorrelate or _DECORRELATION_RATE_MIN <= rate <= _DECORRELATION_RATE_MAX


def _widest_decorrelated(config: Config) -> int:
    return max([config.sizes[i] if config.decorrelate >> i & 1 else 0 for i in range(config.layers)])


def check(config: Config) -> int:
    """OK, or why no network can have this configuration, whatever the arena."""
    if config.loss > CROSS_ENTROPY:
        return BAD_LOSS
    if config.weight_format > INT32:
        return BAD_WEIGHT_FORMAT
    if config.rounding > STOCHASTIC:
        return BAD_ROUNDING
    if config.rule > RULE_FEEDBACK:
        return BAD_RULE
    if config.slope > _SLOPE_MAX:
        return BAD_SLOPE
    if not 1 <= config.layers <= MAX_LAYERS:
        return BAD_SIZES
    for i in range(config.layers + 1):
        if not 1 <= config.sizes[i] <= MAX_WIDTH:
            return BAD_SIZES
    if config.loss == CROSS_ENTROPY and config.sizes[config.layers] < 2:
        return BAD_SIZES
    if config.decorrelate >> config.layers:
        return BAD_DECORRELATE
    if not _SIGMA_MIN <= config.sigma <= _SIGMA_MAX:
        return BAD_SIGMA
    if not _rate_ok(config, config.decorrelation_rate):
        return BAD_DECORRELATION_RATE
    if config.seed == 0:
        return BAD_SEED
    negated = config.antithetic or config.rule == RULE_FEEDBACK
    if _count_units(config) > NOISE_BUFFER or _count_noisy(config) > (NOISE_BUFFER if negated else NOISE_BUFFER // 2):
        return TOO_MANY_UNITS
    return OK


def feedback_bytes(config: Config) -> int:
    """Bytes of the feedback of a configuration that passed check()."""
    return 2 * _count_noisy(config) * config.sizes[config.layers] if config.rule == RULE_FEEDBACK else 0


def blob_bytes(config: Config) -> int:
    """Bytes of all weights, matrices and feedback of a configuration that passed check()."""
    count = feedback_bytes(config)
    for i in range(config.layers):
        inputs = config.sizes[i]
        count += (inputs + 1) * config.sizes[i + 1] * (4 if config.weight_format == INT32 else 2)
        if config.decorrelate >> i & 1:
            count += 2 * inputs * inputs
    return count


def arena_bytes(config: Config) -> int:
    """Bytes that a configuration which passed check() counts for: as many as with the C firmware on a chip of 32 bits, where a
    layer's record of 20 bytes lies in the arena too.
    """
    values = 3 * _count_units(config)
    for i in range(config.layers):
        if config.decorrelate >> i & 1:
            values += config.sizes[i]
    return config.layers * _LAYER_BYTES + 6 * _widest_decorrelated(config) + 2 * values + blob_bytes(config)


def _counter(place: int, count: int) -> property:
    def get(net: Network) -> int:
        return number_at(net.counters, place, count)

    def put(net: Network, number: int) -> None:
        put_number(net.counters, place, count, number)

    return property(get, put)


class Network:
    """A network and its training. Until a configuration was accepted, `config.layers` is 0 and nothing but configure() may be
    called.
    """

    def __init__(self) -> None:
        self.config = Config()
        self.plan = array.array("i", bytes(4 * (_FIRST + _LAYER * MAX_LAYERS)))
        self.counters = halves(14)
        self.arena = self.counters
        self.weights = memoryview(b"")
        self.matrices = memoryview(b"")
        self.feedback = memoryview(b"")
        self.used = 0
        self.noisy = 0
        self.loss_of = squared_loss

    random_state = _counter(_COUNTED_RANDOM, 2)
    saturations = _counter(_COUNTED_SATURATIONS, 2)
    steps = _counter(COUNTED_STEPS, 2)
    skipped = _counter(_COUNTED_SKIPPED, 2)
    last_loss = _counter(COUNTED_LAST_LOSS, 2)
    loss_sum = _counter(_COUNTED_LOSS_SUM, 4)

    def configure(self, config: Config, arena: array.array[int], limit: int) -> int:
        """Lays the network out in the halves of `arena`, of which `limit` bytes count, draws its weights and zeroes its counters.
        OK, or why not: then the network is left as it was. `weights`, `matrices` and `feedback` are the bytes of all rows, of
        all matrices and of all feedback; `used` is arena_bytes().
        """
        status = check(config)
        if status != OK:
            return status
        needed = arena_bytes(config)
        if needed > min(limit, 2 * len(arena)):
            return TOO_LARGE
        # What is made below is small, and begins in a heap without garbage.
        gc.collect()
        self.config = config
        self.arena = arena
        self.used = needed
        first, second, end = self._lay_out()
        memory = memoryview(bytes_of(arena))
        self.weights = memory[2 * first : 2 * second]
        self.matrices = memory[2 * second : 2 * end]
        self.feedback = memory[2 * end : 2 * end + feedback_bytes(config)]
        for i in range(len(self.counters)):
            self.counters[i] = 0
        self._set_rates()
        self.loss_of = cross_entropy if config.loss == CROSS_ENTROPY else squared_loss
        self.random_state = self.draw_weights(arena, first, config.seed)
        self._reset_matrices(second, end + len(self.feedback) // 2)
        return OK

    def set_rates(self, learning_rate: int, decorrelation_rate: int) -> int:
        """Changes the rates from the next step on: OK or BAD_DECORRELATION_RATE."""
        if not _rate_ok(self.config, decorrelation_rate):
            return BAD_DECORRELATION_RATE
        self.config.learning_rate = learning_rate
        self.config.decorrelation_rate = decorrelation_rate
        self._set_rates()
        return OK

    def target_count(self) -> int:
        """Values in a sample's target: the outputs, or 1 (the class) with cross-entropy."""
        return 1 if self.config.loss == CROSS_ENTROPY else self.config.sizes[self.config.layers]

    def train(self, noise: Noise, samples: Halves, x: int, target: int) -> None:
        """One training step (section 10, from its second point on): the inputs begin at place `x` of the halves `samples`, the
        target at place `target`. All are -32767 .. 32767, a class below the number of outputs. The noise must be ready and
        calibrated. The step's loss is last_loss, which as a number may need memory: it is in `counters` too.
        """
        plan = self.plan
        arena = self.arena
        if plan[_RULE]:
            skipped = train_by_error(self, noise, samples, x, target)
            if plan[_DECORRELATES]:
                update_matrices(plan, arena)
            count_step(plan, self.counters, skipped)
            return
        draw_noise(plan, arena, self.counters, noise.ring, noise.state)
        run_passes(plan, arena, samples, x)
        self.loss_of(plan, arena, plan[_OUT], samples, target, 2)
        learns = global_factor(plan, arena)
        if learns == 1:
            update_weights(plan, arena, samples, x)
        if plan[_DECORRELATES]:
            update_matrices(plan, arena)
        count_step(plan, self.counters, not learns)

    def predict(self, samples: Halves, x: int, outputs: Halves, y: int) -> None:
        """A clean pass: as many values as the last layer has units, from place `y` of the halves `outputs` on."""
        run_clean(self.plan, self.arena, self.arena, self.plan[_FIRST + _ROWS], samples, x, outputs, y)

    def draw_weights(self, rows: Halves, at: int, seed: int) -> int:
        """Draws initial weights (section 2) into the halves `rows` from place `at` on, as `weights` is laid out, from a seed that
        is not 0. Returns the state of the generator after it.
        """
        random = halves(2)
        put_number(random, 0, 2, seed)
        limits = array.array("H", [isqrt((3 << 24) // inputs) for inputs in self.config.sizes[: self.config.layers]])
        draw_rows(self.plan, rows, at, limits, random)
        return number_at(random, 0, 2)

    def predict_with(self, rows: Halves, at: int, samples: Halves, x: int, outputs: Halves, y: int) -> None:
        """predict() with other weights of the same layout, from place `at` of the halves `rows` on."""
        run_clean(self.plan, self.arena, rows, at, samples, x, outputs, y)

    def evaluate(self, samples: Halves, x: int, target: int) -> bool:
        """A clean pass: whether the classification is right (section 5). Its loss is evaluated_loss()."""
        plan = self.plan
        arena = self.arena
        y = plan[_OUT] - plan[_UNITS]
        self.predict(samples, x, arena, y)
        self.loss_of(plan, arena, y, samples, target, 1)
        return is_correct(plan, arena, y, samples, target) != 0

    def evaluated_loss(self) -> int:
        """The loss of the last evaluate(), Q7.24."""
        return self.plan[_LOSS + 1] << 16 | self.plan[_LOSS]

    def _set_rates(self) -> None:
        plan = self.plan
        eta = self.config.learning_rate
        bits = bits_of(eta)
        plan[_DELTA] = -(eta << 16 >> bits >> 1) & 65535
        plan[_DELTA_EXPONENT] = (bits - (43 if self.config.loss == CROSS_ENTROPY else 42)) & 65535
        eta *= self.noisy
        plan[_ETA_BITS] = bits_of(eta)
        plan[_ETA] = eta << 16 >> plan[_ETA_BITS]
        rate = self.config.decorrelation_rate
        bits = bits_of(rate)
        plan[_RATE] = rate << 15 >> bits
        plan[_RATE_SHIFT] = 37 - bits

    def _lay_out(self) -> tuple[int, int, int]:
        # In the order of the C firmware. Returns where the weights begin, where they end, and where the matrices end.
        config = self.config
        plan = self.plan
        units = _count_units(config)
        widest = _widest_decorrelated(config)
        plan[_UNITS] = units
        plan[_LAYERS] = config.layers
        plan[_WIDE] = config.weight_format == INT32
        plan[_ANTITHETIC] = bool(config.antithetic) or config.rule == RULE_FEEDBACK
        plan[_STOCHASTIC] = config.rounding == STOCHASTIC
        plan[_NORMALISED] = bool(config.normalised)
        plan[_CROSS_ENTROPY] = config.loss == CROSS_ENTROPY
        plan[_OUTPUTS] = config.sizes[config.layers]
        plan[_DECORRELATES] = config.decorrelate != 0
        plan[_PROJECTION] = 0
        plan[_RULE] = config.rule
        if config.slope == 0:
            config.slope = SLOPE if config.rule == RULE_ANP else _SLOPE_EXACT
        plan[_SLOPE] = config.slope
        plan[_NOISY] = self.noisy = _count_noisy(config)
        plan[_BEGIN] = 0
        plan[_END] = config.layers
        first = place = 2 * widest
        for i in range(config.layers):
            layer = _FIRST + _LAYER * i
            plan[layer + _INPUTS] = config.sizes[i]
            plan[layer + _LAYER_UNITS] = config.sizes[i + 1]
            plan[layer + _ROWS] = place
            place += (config.sizes[i] + 1) * config.sizes[i + 1] * (1 + plan[_WIDE])
        second = place
        for i in range(config.layers):
            layer = _FIRST + _LAYER * i
            plan[layer + _MATRIX] = 0
            if config.decorrelate >> i & 1:
                plan[layer + _MATRIX] = place
                place += config.sizes[i] ** 2
        end = plan[_FEEDBACK] = place
        place += feedback_bytes(config) // 2
        plan[_VALUES] = difference = place
        place += 3 * units
        plan[_DECORRELATED] = place
        place += widest
        raw = 0
        for i in range(config.layers):
            layer = _FIRST + _LAYER * i
            plan[layer + _DIFFERENCE] = difference
            plan[layer + _INPUT] = raw
            if plan[layer + _MATRIX]:
                plan[layer + _INPUT] = place
                place += config.sizes[i]
            raw = difference + 2 * units
            difference += config.sizes[i + 1]
        plan[_OUT] = raw
        return first, second, end

    def _reset_matrices(self, begin: int, end: int) -> None:
        arena = self.arena
        for i in range(begin, end):
            arena[i] = 0
        for i in range(self.config.layers):
            inputs = self.config.sizes[i]
            matrix = self.plan[_FIRST + _LAYER * i + _MATRIX]
            if matrix:
                for place in range(matrix, matrix + inputs * inputs, inputs + 1):
                    arena[place] = _ONE14
