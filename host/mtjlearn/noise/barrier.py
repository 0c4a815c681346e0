"""Dwell times and duty of a junction whose two energy barriers a field or a current tilts (section II B, eq. 5).

The free layer lies in one of two minima. A drive along the easy axis lowers the barrier out of one and raises the barrier out
of the other; the temperature takes the free layer over them, by the law of Néel and Arrhenius. Drives have any one unit,
such as mT or uA; a positive drive favours the antiparallel state.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mtjlearn.noise.smtj import BOLTZMANN, RECORDED_OBSERVATION, Junction, energy_barrier

Array = NDArray[np.float64]

MILLIELECTRONVOLT = 1.602176634e-22
"""J."""
ROOM = 300.0
"""Room temperature, K."""
ATTEMPT = 1e-9
"""Attempt time of a free layer, s; its order of magnitude."""


@dataclass(frozen=True)
class BarrierModel:
    """Two barriers ``E_b (1 - h)^n`` (parallel to antiparallel) and ``E_b (1 + h)^n`` (back), with ``h`` the reduced drive.

    Args:
        barrier: E_b, the height of both barriers at the balance, J. See :meth:`of_kt`, :meth:`of_mev` and :meth:`of_rate`.
        critical: distance of the drive from the balance at which one barrier is gone: the anisotropy field or the
            critical current, in the drive's unit. ``h = (drive - balance) / critical``.
        exponent: n; 2 for a macrospin in a field along its easy axis, 1 for the torque of a current.
        balance: drive at which both barriers are equal: what compensates the stray field of the reference layer.
        attempt_time: tau_0, s.
        temperature: K; barriers in J do not change with it.

    Raises:
        ValueError: if one of them is not positive.
    """

    barrier: float
    critical: float
    exponent: float = 2.0
    balance: float = 0.0
    attempt_time: float = ATTEMPT
    temperature: float = ROOM

    def __post_init__(self) -> None:
        for name in ("barrier", "critical", "exponent", "attempt_time", "temperature"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise ValueError(f"a barrier model's {name} must be positive, not {value:g}")

    @classmethod
    def of_kt(cls, height: float, critical: float, *, temperature: float = ROOM, **other: float) -> BarrierModel:
        """A model whose barrier at the balance is ``height`` times k_B T at ``temperature``."""
        return cls(height * BOLTZMANN * temperature, critical, temperature=temperature, **other)

    @classmethod
    def of_mev(cls, height: float, critical: float, **other: float) -> BarrierModel:
        """A model whose barrier at the balance is ``height`` meV."""
        return cls(height * MILLIELECTRONVOLT, critical, **other)

    @classmethod
    def of_rate(
        cls, rate: float, critical: float, *, temperature: float = ROOM, attempt_time: float = ATTEMPT, **other: float
    ) -> BarrierModel:
        """A model that leaves each state ``rate`` times per second at the balance: eq. 5 solved for the barrier."""
        barrier = energy_barrier(1 / rate, temperature, attempt_time)
        return cls(barrier, critical, temperature=temperature, attempt_time=attempt_time, **other)

    def at(self, temperature: float) -> BarrierModel:
        """The same barriers at another temperature, K."""
        return replace(self, temperature=temperature)

    @property
    def kt(self) -> float:
        """E_b over k_B T."""
        return self.barrier / (BOLTZMANN * self.temperature)

    def barriers(self, drive: ArrayLike) -> tuple[Array, Array]:
        """Heights of the barriers out of the parallel and out of the antiparallel state, J, each of the drive's shape.

        Raises:
            ValueError: if the drive removes a barrier: eq. 5 does not hold there.
        """
        reduced = (np.asarray(drive, dtype=np.float64) - self.balance) / self.critical
        if not np.all(np.abs(reduced) < 1):
            ends = (self.balance - self.critical, self.balance + self.critical)
            raise ValueError(f"a drive outside {ends[0]:g} .. {ends[1]:g} removes a barrier; keep it within")
        return self.barrier * (1 - reduced) ** self.exponent, self.barrier * (1 + reduced) ** self.exponent

    def dwells(self, drive: ArrayLike) -> tuple[Array, Array]:
        """Mean dwell times in the parallel and in the antiparallel state, s (eq. 5), each of the drive's shape.

        Infinite for a barrier of more than about 700 k_B T.
        """
        scale = BOLTZMANN * self.temperature
        with np.errstate(over="ignore"):
            parallel, antiparallel = (self.attempt_time * np.exp(height / scale) for height in self.barriers(drive))
        return parallel, antiparallel

    def duty(self, drive: ArrayLike) -> Array:
        """Probability of the antiparallel state, of the drive's shape; a logistic function of it for exponents 1 and 2."""
        up, down = self.barriers(drive)
        with np.errstate(over="ignore"):
            return np.asarray(1 / (1 + np.exp((up - down) / (BOLTZMANN * self.temperature))))

    def rate(self, drive: ArrayLike) -> Array:
        """Half the sum of the rates out of both states, per second: 1 / (2 correlation time); of the drive's shape."""
        parallel, antiparallel = self.dwells(drive)
        return np.asarray((1 / parallel + 1 / antiparallel) / 2)

    def probabilities(self, drive: ArrayLike, sample_rate: float) -> tuple[Array, Array]:
        """Probabilities from one sample to the next to go up (to antiparallel) and to go down, each of the drive's shape."""
        change = -np.expm1(-2 * self.rate(drive) / sample_rate)
        duty = self.duty(drive)
        return duty * change, (1 - duty) * change

    def drive(self, duty: float) -> float:
        """The drive at which the junction is in the antiparallel state for this share of time, 0 .. 1 exclusive.

        Raises:
            ValueError: if no drive that leaves both barriers gives that duty.
        """
        if not 0 < duty < 1:
            raise ValueError(f"duty {duty} is outside 0 .. 1")
        low, high = -1.0, 1.0
        wanted = math.log(duty / (1 - duty)) / self.kt
        if abs(wanted) >= 2**self.exponent:
            raise ValueError(f"no drive gives a duty of {duty:g}: a barrier is gone before; raise the barrier")
        for _ in range(80):
            middle = (low + high) / 2
            enough = (1 + middle) ** self.exponent - (1 - middle) ** self.exponent >= wanted
            low, high = (low, middle) if enough else (middle, high)
        return self.balance + self.critical * (low + high) / 2

    def junction(self, drive: float, low: float, high: float, observation: float = RECORDED_OBSERVATION) -> Junction:
        """What a converter sees of it at this drive.

        Args:
            drive: field or current.
            low: voltage of the parallel state, V.
            high: voltage of the antiparallel state, V.
            observation: standard deviation of the observation noise, V.
        """
        return Junction(low, high, observation, float(self.rate(drive)), float(self.duty(drive)))
