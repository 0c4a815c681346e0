"""The device: its state, which is everything between the wire, the learner and the board, and what commands (commands.py) and turns
(turn.py) share: its clock, the codes of the converter, refusals.
"""

if False:
    from kinds import Board, Handler, Start

from autonomous import Autonomous
from blobs import Blobs
from halves import halves
from intake import BATCH, Intake
from learner import Network
from messages import (
    ERROR_OUT_OF_RANGE,
    FEATURES_ADC_LIVE,
    FEATURES_VIRTUAL_CLOCK,
    NOISE_SOURCE_ADC,
)
from micropython import const
from session import DONE, Session
from stream import Stream
from telemetry import Telemetry

_SILENCE = const(489)
"""Units of 1,024 us without a code: half a second."""
_INPUT = const(32)
"""Received bytes taken from the board at once, at most."""


class Device:
    """One device. turn.device_init() makes it.

    Args:
        board: a boards.board.Board.
        start: what the board knows of its start.
        handler: handle(), welcome() and opened() of a session.
    """

    def __init__(self, board: Board, start: Start, handler: Handler) -> None:
        self.board = board
        self.start = start
        self.configured = False
        self.restart = False
        """RESET was executed."""
        self.took_codes = False
        """In this turn."""
        self.barred = False
        """Training, until the host has asked for STATUS: a fault of the noise was reported."""
        self.filled = 0
        """Inputs of the next sample that SAMPLE_PART has brought."""
        self.completes = False
        """The present frame completes that sample, instead of holding whole ones."""
        self.input = bytearray(_INPUT)
        self.input_start = 0
        """Received bytes that the session has not taken yet."""
        self.input_end = 0
        self.stream = Stream(self)
        self.blobs = Blobs()
        self.telemetry = Telemetry(self)
        self.session = Session(board, handler, board.max_payload, board.receive_window, start.boot_count)
        self.samples = 0
        """Of the evaluation so far; METRICS."""
        self.correct = 0
        self.loss_sum = 0
        self.net = Network()
        if board.arena is None:
            board.arena = halves(board.arena_bytes // 2)
        self.arena = board.arena
        self.intake = Intake(board)
        self.code_clock = self.clock()
        """When the converter's last codes came."""
        self.autonomous = Autonomous(self)

    def clock(self) -> int:
        """Time in units of 1,024 us, mod 2^16."""
        return self.board.clock()

    def remember(self, error: int) -> None:
        """Keeps what went wrong for the next start: ERROR_..., or FAULT_ERROR and a fault."""
        self.start.error = error

    def forget_metrics(self) -> None:
        """Empties the evaluation."""
        self.samples = self.correct = self.loss_sum = 0

    def check_silence(self, now: int) -> None:
        """At the end of a turn, with its clock(): a converter in real time delivers codes whatever the device does."""
        if self.board.features & (FEATURES_ADC_LIVE | FEATURES_VIRTUAL_CLOCK) != FEATURES_ADC_LIVE:
            return
        intake = self.intake
        if self.took_codes:
            self.code_clock = now
        elif (now - self.code_clock) & 0xFFFF >= _SILENCE and intake.source == NOISE_SOURCE_ADC:
            intake.health.silent(intake.noise, intake.next)

    def take_codes(self) -> None:
        """Takes all codes that the board has and sends what the noise stream makes of them."""
        intake, stream = self.intake, self.stream
        taken, total = BATCH, 0
        while taken == BATCH:
            taken = intake.take()
            if taken:
                self.took_codes = True
            if total <= 255 - BATCH:
                total += taken
            if stream.active:
                stream.send()
        self.autonomous.codes(total)

    def refuse(self, code: int, detail: int) -> int:
        """Refuses the current command: what a handler returns then."""
        self.session.refuse(code, detail)
        return DONE

    def out_of_range(self, number: int) -> int:
        """The same for a field or value, by its number."""
        return self.refuse(ERROR_OUT_OF_RANGE, number)
