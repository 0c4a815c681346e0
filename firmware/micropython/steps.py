"""What comes before and after a step of the learner, whoever delivers the samples. TRAIN and autonomous training call it."""

if False:
    from kinds import Device, Halves

from learner import COUNTED_STEPS
from messages import (
    ERROR_NO_NOISE,
    ERROR_NOISE_FAULT,
    ERROR_NOISE_NOT_READY,
    FEATURES_ADC_LIVE,
    NOISE_BUFFER,
    NOISE_SOURCE_ADC,
)
from micropython import const

READY = const(0)
FILLING = const(1)
"""The noise buffer: try again."""
REFUSED = const(2)
"""There is no noise, or it is broken."""

_LED_STEPS = const(8)
"""The LED changes every 2^8 training steps."""


def _calibrate(device: Device) -> bool:
    intake = device.intake
    noise, config = intake.noise, device.net.config
    if not noise.calibrate(config.sigma, config.noise_std):
        return False
    if intake.source != NOISE_SOURCE_ADC or intake.health.calibrate(noise, (intake.next - 1) & 0xFFFFFFFF):
        return True
    # Not again before all codes are fresh: trying often would let chance decide.
    noise.forget()
    noise.filled = 0
    return False


def step_prepare(device: Device) -> int:
    """Takes the codes that a step may use. Whether it can be made now: the buffer is full, calibrated, and the source healthy."""
    intake, board = device.intake, device.board
    # What fills the buffer is not what a step takes.
    full = intake.noise.ready()
    board.advance()
    device.take_codes()
    if not full:
        fills = intake.source == NOISE_SOURCE_ADC and board.features & FEATURES_ADC_LIVE
        return FILLING if fills and not intake.health.fault else REFUSED
    calibrated = intake.noise.calibrated() or _calibrate(device)
    return READY if calibrated and not intake.health.fault else REFUSED


def step_refusal(device: Device) -> tuple[int, int]:
    """Why it was refused: ERROR_..., and the error's detail."""
    intake = device.intake
    if intake.health.fault:
        return ERROR_NOISE_FAULT, intake.health.fault
    if intake.noise.filled != NOISE_BUFFER:
        return ERROR_NOISE_NOT_READY, NOISE_BUFFER - intake.noise.filled
    return ERROR_NO_NOISE, intake.noise.deviation


def step_train(device: Device, samples: Halves, x: int, target: int) -> None:
    """One step, after READY.

    Args:
        device: the device.
        samples: an array of 16-bit values.
        x: where in it the inputs stand.
        target: where the targets stand.
    """
    net = device.net
    net.train(device.intake.noise, samples, x, target)
    device.autonomous.trained()
    device.telemetry.step()
    steps = net.counters[COUNTED_STEPS]
    if steps & 0xFF == 0:
        device.board.led((steps >> _LED_STEPS) & 1)
