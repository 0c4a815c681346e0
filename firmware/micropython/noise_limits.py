"""Limits of the noise tests by the ADC's rate, and which limits make sense. The noise tests begin with them, and SET_HEALTH
changes them.

The C firmware's counterparts are firmware/src/health_limits.h and struct health_limits.
"""

import messages

_ROWS = (
    (4808, 59, 1024, 371, 287),
    (9615, 94, 1024, 325, 172),
    (19231, 168, 2048, 656, 206),
    (38462, 318, 4096, 1315, 226),
    (40000, 330, 4096, 1301, 216),
    (76924, 620, 8192, 2631, 236),
    (100000, 801, 8192, 2434, 171),
    (1000000, 7870, 32768, 6229, 48),
)
"""By the ADC's rate in codes per second, at most: repetitions, window, ones_min (ones_max is as far from the window's end),
switches_min. For the paper's junction: 3,530 switches per second, both states alike, at false alarms of 2^-40 a test."""


class Limits:
    """As SET_HEALTH: `repetitions` is at least 2, `window` 0 means no tests."""

    def __init__(self, repetitions: int, window: int, ones_min: int, ones_max: int, switches_min: int) -> None:
        self.repetitions = repetitions
        self.window = window
        self.ones_min = ones_min
        self.ones_max = ones_max
        self.switches_min = switches_min


def unfit(limits: Limits) -> int:
    """Number of the limit that makes no sense, from 1; 0: all do."""
    if limits.repetitions < messages.SET_HEALTH_REPETITIONS_MIN:
        return messages.FIELD_SET_HEALTH_REPETITIONS
    window = limits.window
    if window > messages.SET_HEALTH_WINDOW_MAX or 0 < window < messages.NOISE_BUFFER:
        return messages.FIELD_SET_HEALTH_WINDOW
    return 0


def limits_at(adc_rate: int) -> Limits:
    """The limits of the paper's junction at a rate, or at the next higher one of the table."""
    for row in _ROWS:
        if row[0] >= adc_rate:
            break
    _, repetitions, window, ones_min, switches_min = row
    return Limits(repetitions, window, ones_min, window - ones_min, switches_min)
