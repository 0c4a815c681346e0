"""The turns of the main loop, which main.py begins and repeats, and the session's handlers."""

if False:
    from kinds import Board, Start

import struct

from commands import command_execute
from device import Device
from learner import FRACTION_BITS, LOSS_BITS, WEIGHT32_BITS
from messages import (
    ERROR_NOISE_FAULT,
    FAULT_ERROR,
    FEATURES_ANP_EXACT,
    FEATURES_CROSS_ENTROPY,
    FEATURES_DECORRELATION,
    FEATURES_FEEDBACK,
    FEATURES_INT32_WEIGHTS,
    FEATURES_LONG_SAMPLES,
    LAYOUT_WELCOME,
    SCHEMA,
    VERSION,
)
from micropython import const

_INPUTS = const(8)
"""How often bytes are taken in one turn, at most: up to the end of a frame."""
_OWN_FEATURES = (
    FEATURES_DECORRELATION
    | FEATURES_CROSS_ENTROPY
    | FEATURES_INT32_WEIGHTS
    | FEATURES_LONG_SAMPLES
    | FEATURES_ANP_EXACT
    | FEATURES_FEEDBACK
)


class _Handler:
    """The session's handlers."""

    def __init__(self, board: Board, start: Start) -> None:
        self.device = Device(board, start, self)

    def handle(self, kind: int, payload: memoryview) -> int:
        """Executes or refuses a command."""
        device = self.device
        errors = device.session.errors
        result = command_execute(device, kind, payload)
        if device.session.errors != errors:
            device.remember(device.session.last_error)
        return result

    def welcome(self, nonce: int, number: int) -> None:
        """Builds the WELCOME."""
        device = self.device
        board, start, session = device.board, device.start, device.session
        features, memory, restored = device.autonomous.welcome()
        struct.pack_into(
            LAYOUT_WELCOME,
            session.reply,
            0,
            nonce,
            VERSION,
            number,
            SCHEMA,
            board.build,
            board.name.encode()[:11],
            start.boot_count,
            start.reset_cause,
            board.receive_window,
            session.max_payload,
            board.features | _OWN_FEATURES | features,
            board.adc_bits,
            board.adc_rate,
            board.adc_reference,
            board.line_rate,
            board.arena_bytes,
            FRACTION_BITS,
            WEIGHT32_BITS,
            LOSS_BITS,
            memory,
            restored,
            start.last_error,
        )

    def opened(self) -> None:
        """A session begins. The network and what it learned stay: a host that crashed finds them again."""
        device = self.device
        device.stream.stop()
        device.telemetry.init()
        device.blobs.abandon()
        device.filled = 0
        device.barred = False
        device.autonomous.opened()
        device.forget_metrics()


def device_init(board: Board, start: Start) -> Device:
    """A device that has just started.

    Args:
        board: a boards.board.Board.
        start: its Start.
    """
    device = _Handler(board, start).device
    device.autonomous.init()
    return device


def _receive(device: Device) -> bool:
    """Whether bytes were taken from the board."""
    session = device.session
    if session.held:
        return False
    if device.input_start == device.input_end:
        device.input_start = 0
        device.input_end = device.board.read(device.input)
        if device.input_end == 0:
            return False
    device.input_start += session.receive(device.input, device.input_start, device.input_end)
    return True


def device_poll(device: Device) -> bool:
    """One turn of the main loop: received bytes up to the end of a frame, noise codes, the noise stream, acknowledgements.

    Returns whether there may be more to do at once; after False a board may sleep until a byte arrives, the line has room, or codes
    are due.
    """
    board, session, health = device.board, device.session, device.intake.health
    faults, errors = health.faults, session.errors
    device.took_codes = False
    session.poll()
    if device.restart:
        # The acknowledgement of the RESET must be on its way first.
        if session.ack_due:
            return False
        board.reset()
        return True
    # Codes are taken once a command was executed: a small chip's FIFO cannot wait for several.
    inputs, seq = 0, session.decoder.next_seq
    while inputs < _INPUTS and seq == session.decoder.next_seq and _receive(device):
        inputs += 1
    device.take_codes()
    if device.stream.active and device.stream.waits:
        board.advance()
        device.take_codes()
    # On a virtual clock a broken source can only be healthy again if time passes.
    if health.fault:
        board.advance()
        device.take_codes()
    now = device.clock()
    works = device.autonomous.poll()
    device.check_silence(now)
    # A command that the fault made fail is newer than the fault.
    refused = session.errors != errors and session.last_error == ERROR_NOISE_FAULT
    if health.faults != faults and not refused:
        device.remember(FAULT_ERROR | health.last_fault)
    return device.took_codes or inputs != 0 or works
