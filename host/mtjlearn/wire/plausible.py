"""What a board can say: values that a frame carries intact and that are wrong all the same.

Firmware with a fault, or something else behind the port, must end a command in one line: not in a division by zero, and not in
waiting without end.
"""

from __future__ import annotations

from mtjlearn.network import FRACTION_BITS, LOSS_BITS, WEIGHT32_BITS
from mtjlearn.wire import messages
from mtjlearn.wire.messages import Message, Welcome

ADC_BITS = 16
"""Of a noise code, at most."""


def strange_welcome(welcome: Welcome) -> str:
    """What no board can say of itself, in words; empty if it can be."""
    ranges = {
        "max_payload": (messages.MIN_PAYLOAD, messages.MAX_PAYLOAD),
        "receive_window": (messages.MIN_PAYLOAD, 2**16),
        "adc_bits": (1, ADC_BITS),
        "adc_rate": (1, 2**32),
        "adc_reference": (1, 2**16),
        "activation_bits": (FRACTION_BITS, FRACTION_BITS),
        "weight32_bits": (WEIGHT32_BITS, WEIGHT32_BITS),
        "loss_bits": (LOSS_BITS, LOSS_BITS),
    }
    found = ((name, getattr(welcome, name), low, high) for name, (low, high) in ranges.items())
    return welcome.strange() or next((f"{name} {value}" for name, value, low, high in found if not low <= value <= high), "")


def holds_together(message: Message) -> bool:
    """Whether what a message says of its own contents is so."""
    if isinstance(message, messages.NoiseCodes):
        return 1 <= message.bits <= ADC_BITS and message.count >= 1 and message.count * message.bits <= 8 * len(message.packed)
    if isinstance(message, messages.Blob):
        return message.offset + len(message.data) <= message.total
    return True
