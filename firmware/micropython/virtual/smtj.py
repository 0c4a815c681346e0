"""A virtual superparamagnetic tunnel junction at an ADC pin, in continuous time: the telegraph process, its faults and its
observation noise. The virtual converter calls it before each sample. Source: Koenders et al., "Noise-based Local Learning using
Stochastic Magnetic Tunnel Junctions". The voltages are those of firmware/virtual/smtj.c, bit for bit.
"""

if False:
    from kinds import Sequence, array

from math import expm1, inf, log, sqrt

from virtual.generator import UNIT, WORDS, Generator, draw

_RECORDED_RATE = 40000.0
_RECORDED_SWITCHING = 0.0809
_SUPPLY_MV = 3300.0
_DIVIDER_KOHM = 100.0
_MANY_SWITCHES = 64.0
"""Expected switches beyond which they are no longer followed one by one."""
_EXCESS = 1.2
"""Of a saturating junction's high level over full scale."""
_SLOWNESS = 50.0
_DRIFT = 0.1
"""Of the split, per second."""


def _divider(junction_kohm: float) -> float:
    return _SUPPLY_MV * junction_kohm / (_DIVIDER_KOHM + junction_kohm)


PRESETS = {"recording": (36.2, 48.0), "bench": (_divider(3.0), _divider(6.0))}
"""Levels in mV: of the paper's recording; of the divider of its text, 3.3 V over 100 kOhm, the junction 3 or 6 kOhm."""
KINDS = ("smtj", "gaussian", "bernoulli", "stuck", "open", "short", "saturating", "slow", "drifting")
"""What firmware/virtual/smtj.h explains."""
HEALTHY = "smtj"
_STEADY = ("smtj", "slow", "saturating")
"""Whose voltage is that of a state, and noise."""


def _slowness(kind: str) -> float:
    return _SLOWNESS if kind == "slow" else 1.0


class Junction:
    """The junction, or what stands in its place.

    Args:
        kind: of KINDS.
        preset: of PRESETS.
        seed: 0 .. 2^64 - 1.

    Attributes:
        full_scale: mV, of the converter at the pin, which sets it.
    """

    def __init__(self, kind: str, preset: str, seed: int) -> None:
        self.full_scale = 1100.0
        self._kind = HEALTHY
        self._level = PRESETS[preset]
        self._noise = 1.0
        self._rate = -_RECORDED_RATE * log(1.0 - 2.0 * _RECORDED_SWITCHING) / 2.0
        self._switching = Generator(seed, 0)
        self._observation = Generator(seed, 1)
        self._state = self._switching.bit()
        self._dwell = self._draw_dwell()
        self._change = self._lasts = inf
        self._other = HEALTHY
        self._voltages: Sequence[float] = ()
        self._next = 0
        self.become(kind)

    def _draw_dwell(self) -> float:
        return self._switching.exponential() / self._rate

    def plan(self, kind: str, after: float, lasts: float) -> None:
        """Plans a fault, in the junction's own seconds from its start: it becomes of that kind, and then what it was. HEALTHY:
        nothing is planned.
        """
        if kind == HEALTHY:
            return
        self._change = after
        self._other = kind
        self._lasts = lasts

    def play(self, voltages: Sequence[float]) -> None:
        """Becomes a list of voltages in mV, one for each observation, which repeats: for sources that are not a junction."""
        self._kind = "played"
        self._voltages = voltages
        self._next = 0

    def become(self, kind: str) -> None:
        """Changes the kind from now on. The junction keeps its state, and a slow one the rest of its dwell time, stretched."""
        stretch = _slowness(kind) / _slowness(self._kind)
        self._rate /= stretch
        self._dwell *= stretch
        self._kind = kind
        self._age = 0.0

    def _pass(self, seconds: float) -> None:
        self._age += seconds
        if seconds * self._rate > _MANY_SWITCHES:
            # The process has no memory: the state after the span is one draw, the dwell from there on another.
            switched = -expm1(-2.0 * self._rate * seconds) / 2.0
            self._state ^= int(self._switching.uniform() < switched)
            self._dwell = self._draw_dwell()
            return
        while self._dwell <= seconds:
            seconds -= self._dwell
            self._state ^= 1
            self._dwell = self._draw_dwell()
        self._dwell -= seconds

    def wait(self, seconds: float) -> None:
        """Lets time pass. Exact for any span, and quick for long ones."""
        while self._change <= seconds:
            before = self._kind
            self._pass(self._change)
            seconds -= self._change
            self.become(self._other)
            self._change = self._lasts
            self._other = before
            self._lasts = inf
        self._change -= seconds
        self._pass(seconds)

    def is_steady(self, seconds: float) -> bool:
        """Whether samples this far apart can be taken by sample()."""
        return self._change == inf and self._kind in _STEADY and seconds * self._rate <= _MANY_SWITCHES

    def sample(self, fifo: array[int], at: int, count: int, seconds: float, steps: int, reference: int) -> None:
        """Waits and quantises this many times, as wait(), voltage() and the converter do one by one, in a loop that looks nothing
        up: it is what a virtual board does most of the time.

        Args:
            fifo: where the codes go, around its end.
            at: place of the first.
            count: of samples.
            seconds: from each one to the next.
            steps: of the converter.
            reference: mV at its full scale.
        """
        levels: tuple[float, ...] = self._level
        if self._kind == "saturating":
            levels = tuple([level * _EXCESS * self.full_scale / levels[1] for level in levels])
        noise, state, dwell = self._noise, self._state, self._dwell
        observation, spare = self._observation.state, self._observation.spare
        size, words, unit = len(fifo), WORDS, UNIT
        for _ in range(count):
            if dwell <= seconds:
                left = seconds
                while dwell <= left:
                    left -= dwell
                    state ^= 1
                    dwell = self._draw_dwell()
                dwell -= left
            else:
                dwell -= seconds
            if spare is None:
                square = 1.0
                while square >= 1.0:
                    u = 2.0 * ((draw(observation, words) + 0.5) * unit) - 1.0
                    v = 2.0 * ((draw(observation, words) + 0.5) * unit) - 1.0
                    square = u * u + v * v
                factor = sqrt(-2.0 * log(square) / square)
                spare = v * factor
                code = (levels[state] + noise * (u * factor)) * steps / reference
            else:
                code = (levels[state] + noise * spare) * steps / reference
                spare = None
            fifo[at] = 0 if code < 0.0 else steps - 1 if code >= steps else int(code)
            at += 1
            if at == size:
                at = 0
        self._state, self._dwell = state, dwell
        self._observation.spare = spare

    def _play(self) -> float:
        voltage = self._voltages[self._next]
        self._next = (self._next + 1) % len(self._voltages)
        return voltage

    def voltage(self) -> float:
        """The pin's voltage now, in mV; every call is a new observation."""
        low, high = self._level
        kind = self._kind
        if kind == "open":
            return _SUPPLY_MV
        if kind == "short":
            return 0.0
        if kind == "played":
            return self._play()
        if kind == "gaussian":
            level = (low + high) / 2.0 + (high - low) / 2.0 * self._switching.gaussian()
        elif kind == "bernoulli":
            level = self._level[self._switching.bit()]
        elif kind == "stuck":
            level = high
        else:
            level = self._level[self._state]
            if kind == "saturating":
                level = level * _EXCESS * self.full_scale / high
            elif kind == "drifting":
                level = level + _DRIFT * self._age * (high - low)
        return level + self._noise * self._observation.gaussian()
