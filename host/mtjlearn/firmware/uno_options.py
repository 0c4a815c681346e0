"""What can be chosen when an Uno's firmware is built."""

from __future__ import annotations

from dataclasses import dataclass

_UNO_CLOCK = 16_000_000
_UNO_CONVERSION = 13
"""ADC clock cycles of a conversion (ATmega328P data sheet, 24.4)."""
_UNO_PRESCALERS = (128, 64, 32)
UNO_RATES = {round(_UNO_CLOCK / (_UNO_CONVERSION * prescaler)): prescaler for prescaler in _UNO_PRESCALERS}
"""Codes per second that an Uno R3 can sample, and the ADC's prescaler for each."""
UNO_BAUDS = (250_000, 115_200)
UNO_REFERENCES = (1100, 5000)
"""Full scale in mV: the internal reference, or the supply."""


@dataclass(frozen=True)
class UnoOptions:
    """The choices; None leaves the firmware's own choice.

    Args:
        baud: bits per second on the line.
        adc_rate: codes per second, a key of UNO_RATES.
        reference: voltage of full scale in mV.
    """

    baud: int | None = None
    adc_rate: int | None = None
    reference: int | None = None

    @property
    def flags(self) -> list[str]:
        """The compiler's flags (firmware/boards/uno/uno.h)."""
        prescaler = None if self.adc_rate is None else UNO_RATES[self.adc_rate]
        values = {"UNO_BAUD": self.baud, "UNO_ADC_PRESCALER": prescaler, "UNO_REFERENCE_MV": self.reference}
        return [f"-D{name}={value}" for name, value in values.items() if value is not None]
