"""Sequences of valid frames that once overwrote the whole EEPROM of a Uno are refused, and write nothing."""

from __future__ import annotations

import pytest
from chip_support import Chip
from plain_client import PlainClient
from upload_support import SEQUENCES

TURN = 16_000
"""Cycles between two looks at the line."""


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_uno(sequence: str) -> None:
    chip = Chip()
    chip.hurry()
    chip.run_to_turn()

    def read() -> bytes:
        chip.run(TURN)
        return chip.take()

    SEQUENCES[sequence](PlainClient(chip.push, read), lambda: chip.eeprom)
