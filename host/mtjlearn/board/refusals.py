"""What each refusal of the board means to its user, in one line that says what to do."""

from __future__ import annotations

from dataclasses import fields

from mtjlearn.network import Network
from mtjlearn.wire.command import Command
from mtjlearn.wire.errors import BoardRefused
from mtjlearn.wire.messages import MESSAGES, NOISE_BUFFER, Configure, Error, Inject


def refused(command: Command, network: Network | None) -> BoardRefused:
    """The exception for a command that was refused.

    Args:
        command: with its refusal.
        network: what the board was being configured with, or is configured with.
    """
    assert command.refusal is not None
    code, detail = command.refusal
    kind = MESSAGES.get(command.type)
    name = kind.NAME if kind is not None else f"command 0x{command.type:02x}"
    return BoardRefused(name, code, detail, f"the board refused {name}: {_advice(name, code, detail, network)}")


def _advice(name: str, code: int, detail: int, network: Network | None) -> str:
    which = network.name if network is not None else "the network"
    match code:
        case Error.UNKNOWN_TYPE:
            return "its firmware does not know it; flash the firmware that came with this mtjlearn"
        case Error.BAD_LENGTH:
            return f"{detail} bytes do not fit the network on the board; configure it with the network of your data"
        case Error.OUT_OF_RANGE:
            if name == Configure.NAME:
                return f"{_configure_field(detail)} is out of range; change it"
            return f"value {detail} of the message is out of range; quantise the data to -32767 .. 32767, classes from 0"
        case Error.NOT_CONFIGURED:
            return "it has no network yet; configure it first"
        case Error.TOO_LARGE:
            return f"{which} needs {detail} bytes more than it has; take fewer units, int16 weights, or a larger board"
        case Error.NOT_LOADED:
            return "its weights are incomplete after an interrupted upload; set the weights again, or configure it again"
        case Error.BAD_OFFSET:
            return f"a chunk came out of order (it expects offset {detail}); upload again from the start"
        case Error.BAD_CHECKSUM:
            return "the uploaded data were damaged; upload them again"
        case Error.NO_NOISE:
            seen = detail / NOISE_BUFFER
            return f"its noise source is silent (standard deviation {seen:.2f} ADC codes, 0.25 needed); check the wiring"
        case Error.NOISE_NOT_READY:
            return f"{detail} noise codes are missing before it can train; inject at least {NOISE_BUFFER}"
        case Error.WRONG_MODE:
            if name == Inject.NAME:
                return "its network takes noise from the ADC; configure it with injected noise first"
            return "its network takes injected noise; configure it with noise from the ADC first"
        case _:
            return f"error {code} (detail {detail}), unknown to this host; install a newer mtjlearn"


def _configure_field(number: int) -> str:
    names = [field.name for field in fields(Configure)]
    return names[number - 1] if 1 <= number <= len(names) else f"field {number}"
