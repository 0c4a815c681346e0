"""The command table, what each command needs, and the commands of a few lines. turn.py calls command_execute()."""

if False:
    from kinds import Command, Device

import struct

import blobs
import configure
import long_samples
import noise_limits
import reports
import samples
from autonomous import HANDLERS as AUTONOMOUS_HANDLERS
from learner import OK
from messages import (
    COMMANDS,
    COMMANDS_AUTONOMOUS,
    COMMANDS_LONG_SAMPLES,
    ERROR_BAD_LENGTH,
    ERROR_BUSY,
    ERROR_NO_MEMORY,
    ERROR_NOT_CONFIGURED,
    ERROR_UNKNOWN_TYPE,
    ERROR_WRONG_MODE,
    FIELD_NOISE_BURST,
    FIELD_SET_HEALTH_RECALIBRATE,
    FIELD_SET_RATES_DECORRELATION_RATE,
    LAYOUT_NOISE,
    LAYOUT_SET_HEALTH,
    LAYOUT_SET_RATES,
    LAYOUT_SET_TELEMETRY,
    NEEDS_IDLE,
    NEEDS_MEMORY,
    NEEDS_NETWORK,
    NEEDS_SAVED,
    NOISE_BURST_MAX,
    NOISE_SOURCE_ADC,
    NOISE_SOURCE_INJECTED,
    SET_HEALTH_RECALIBRATE_MAX,
)
from session import DONE, LATER


def command_set_rates(device: Device, payload: memoryview) -> int:
    """SET_RATES: from the next sample on."""
    learning_rate, decorrelation_rate = struct.unpack_from(LAYOUT_SET_RATES, payload)
    if device.net.set_rates(learning_rate, decorrelation_rate) != OK:
        return device.out_of_range(FIELD_SET_RATES_DECORRELATION_RATE)
    return DONE


def command_noise(device: Device, payload: memoryview) -> int:
    """NOISE: starts the stream."""
    count, burst = struct.unpack_from(LAYOUT_NOISE, payload)
    if burst > NOISE_BURST_MAX:
        return device.out_of_range(FIELD_NOISE_BURST)
    # The stream is read from the buffer, which then holds the host's own codes.
    if device.intake.source != NOISE_SOURCE_ADC:
        return device.refuse(ERROR_WRONG_MODE, 0)
    device.stream.start(count, burst)
    return DONE


def command_inject(device: Device, payload: memoryview) -> int:
    """INJECT: codes of the host's."""
    if device.intake.source != NOISE_SOURCE_INJECTED:
        return device.refuse(ERROR_WRONG_MODE, 0)
    device.intake.noise.put_all(device.session.values, 0, len(payload) // 2)
    return DONE


def command_set_telemetry(device: Device, payload: memoryview) -> int:
    """SET_TELEMETRY: every this many training steps."""
    device.telemetry.start(struct.unpack_from(LAYOUT_SET_TELEMETRY, payload)[0])
    return DONE


def command_stop(device: Device, payload: memoryview) -> int:
    """STOP: ends a noise stream and telemetry."""
    device.stream.stop()
    device.telemetry.interval = 0
    return DONE


def command_set_health(device: Device, payload: memoryview) -> int:
    """SET_HEALTH: the limits of the noise tests."""
    health = device.intake.health
    fields = struct.unpack_from(LAYOUT_SET_HEALTH, payload)
    limits, recalibrate = noise_limits.Limits(*fields[:-1]), fields[-1]
    unfit = noise_limits.unfit(limits)
    if unfit:
        return device.out_of_range(unfit)
    if recalibrate > SET_HEALTH_RECALIBRATE_MAX:
        return device.out_of_range(FIELD_SET_HEALTH_RECALIBRATE)
    health.set_limits(limits)
    if recalibrate:
        health.forget()
        device.intake.noise.forget()
    return DONE


def command_reset(device: Device, payload: memoryview) -> int:
    """RESET: turn.py restarts the board once this is acknowledged."""
    device.restart = True
    return DONE


def _handlers() -> dict[str, Command]:
    """Who executes a command, by the handler's name: all of this module and of the modules with handlers of a kind."""
    found = {name: handler for name, handler in globals().items() if name.startswith("command_")}
    for module in (blobs, configure, long_samples, reports, samples):
        found.update({name: getattr(module, name) for name in dir(module) if name.startswith("command_")})
    found.update({handler.__name__: handler for handler in AUTONOMOUS_HANDLERS})
    return found


def _table() -> dict[int, tuple[int, int, int, Command]]:
    """Each command's row of messages.py, and who executes it, by its type."""
    handlers, found = _handlers(), {}
    for commands in (COMMANDS, COMMANDS_AUTONOMOUS, COMMANDS_LONG_SAMPLES):
        for kind, (name, size, open_bits, needs) in commands.items():
            found[kind] = (size, open_bits, needs, handlers["command_" + name])
    return found


_TABLE = _table()


def command_execute(device: Device, kind: int, payload: memoryview) -> int:
    """Executes or refuses a command that came in order: what its handler says."""
    # What comes after a RESET is for the device after it.
    if device.restart:
        return LATER
    autonomous = device.autonomous
    if autonomous.waits:
        return autonomous.waited()
    row = _TABLE.get(kind)
    if row is None:
        return device.refuse(ERROR_UNKNOWN_TYPE, kind)
    size, open_bits, needs, execute = row
    length = len(payload)
    if length < size or (length - size) & open_bits:
        return device.refuse(ERROR_BAD_LENGTH, length)
    if needs & NEEDS_MEMORY and device.board.memory_bytes == 0:
        return device.refuse(ERROR_NO_MEMORY, 0)
    if needs & NEEDS_NETWORK and not device.configured:
        return device.refuse(ERROR_NOT_CONFIGURED, 0)
    if needs & NEEDS_IDLE and autonomous.learns():
        return device.refuse(ERROR_BUSY, 0)
    if needs & NEEDS_SAVED and autonomous.saves():
        return LATER
    return long_samples.long_samples_used(device, kind, execute(device, payload))
