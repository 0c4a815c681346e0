"""The noise intake: takes the converter's codes from the board, numbers them, tests them, and puts them into the noise buffer. The
device calls it in every turn and before every step.
"""

if False:
    from kinds import Board

from array import array

from learner import Noise
from messages import NOISE_BUFFER, NOISE_SOURCE_ADC
from micropython import const
from noise_tests import Health

BATCH = const(16)
"""Codes taken at once."""

_MASK = 0xFFFFFFFF


class Intake:
    """Where codes come from, and which ones the buffer holds."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._codes = array("H", bytes(2 * BATCH))
        self.noise = Noise()
        self.health = Health(board.adc_rate, (1 << board.adc_bits) - 1)
        self.source = NOISE_SOURCE_ADC
        self.contiguous = 0
        """This many of the newest codes in the buffer came from the converter without a hole."""
        self.next = 0
        """Number of the converter's next code, mod 2^32; lost ones count."""
        self._lost = self._lost_before = board.adc_lost()

    def choose(self, source: int) -> None:
        """Chooses the source. The buffer keeps its codes only from the ADC to the ADC."""
        if source == NOISE_SOURCE_ADC and source == self.source:
            return
        received = self.noise.received
        self.noise.init()
        self.noise.received = received
        self.source = source
        self.contiguous = 0

    def take(self) -> int:
        """Takes one batch from the board; returns how many codes. With injected noise they are numbered and thrown away."""
        codes = self._codes
        count = self._board.adc_read(codes)
        lost = self._board.adc_lost()
        if lost != self._lost:
            self.next = (self.next + lost - self._lost) & _MASK
            self._lost = lost
            self.contiguous = 0
        if count:
            first = self.next
            self.next = (first + count) & _MASK
            if self.source == NOISE_SOURCE_ADC:
                self.noise.put_all(codes, 0, count)
                self.contiguous = min(self.contiguous + count, NOISE_BUFFER)
                self.health.take(self.noise, codes, count, first)
        return count

    def lost(self) -> int:
        """Codes lost since the start, mod 2^32."""
        return (self._lost - self._lost_before) & _MASK

    def place(self, age: int) -> int:
        """Place in the noise buffer of the code that is this many codes old: 1 is the newest, at most `contiguous`."""
        return (self.noise.position - age) % NOISE_BUFFER
