"""A virtual ADC: samples the virtual junction at a fixed rate and keeps the codes until somebody takes them. Its codes are those of
firmware/virtual/converter.c, bit for bit.
"""

if False:
    from kinds import Junction

from array import array

FIFO = 1024
"""Codes; a tenth of a second at 9,615 Hz, more than a desktop's scheduler takes away."""


class Converter:
    """The converter at a junction.

    Args:
        source: smtj.Junction.
        bits: of a code.
        rate: codes per second.
        reference: mV at full scale.

    Attributes:
        lost: codes that nobody took, all older than those that wait.
    """

    def __init__(self, source: Junction, bits: int, rate: int, reference: int) -> None:
        self.lost = 0
        self._source = source
        self._steps = 1 << bits
        self._period = 1.0 / rate
        self._reference = reference
        self._fifo = array("H", bytes(2 * FIFO))
        self._start = 0
        self._count = 0
        source.full_scale = float(reference)

    def _quantise(self, millivolts: float) -> int:
        code = millivolts * self._steps / self._reference
        if code < 0.0:
            return 0
        return self._steps - 1 if code >= self._steps else int(code)

    def run(self, samples: int) -> None:
        """Takes this many samples; the oldest codes are lost when the FIFO overflows."""
        source = self._source
        if samples > FIFO:
            unseen = samples - FIFO
            source.wait(unseen * self._period)
            self.lost += unseen + self._count
            self._count = 0
            samples = FIFO
        fifo = self._fifo
        at = (self._start + self._count) % FIFO
        if source.is_steady(self._period):
            source.sample(fifo, at, samples, self._period, self._steps, self._reference)
        else:
            for i in range(samples):
                source.wait(self._period)
                fifo[(at + i) % FIFO] = self._quantise(source.voltage())
        self._count += samples
        beyond = self._count - FIFO
        if beyond > 0:
            self._start = (self._start + beyond) % FIFO
            self._count = FIFO
            self.lost += beyond

    def take(self, codes: array[int]) -> int:
        """Takes codes, oldest first, at most as many as the array holds; returns how many."""
        taken = min(len(codes), self._count)
        start = self._start
        fifo = self._fifo
        for i in range(taken):
            codes[i] = fifo[(start + i) % FIFO]
        self._start = (start + taken) % FIFO
        self._count -= taken
        return taken
