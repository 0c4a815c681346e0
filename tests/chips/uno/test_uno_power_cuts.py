"""The power of an Uno is cut at each write of a checkpoint, with the image that is flashed."""

from __future__ import annotations

import pytest
from power_cut_support import cut_everywhere


@pytest.mark.parametrize(
    ("over_another", "stride", "least"),
    [
        pytest.param(False, 9, 13, id="into an erased slot"),
        pytest.param(False, 1, 120, id="into an erased slot at every write", marks=pytest.mark.slow),
        pytest.param(True, 1, 30, id="over another"),
    ],
)
def test_after_a_cut_at_any_write_the_chip_starts_with_a_complete_checkpoint(over_another: bool, stride: int, least: int) -> None:
    # tests/soak/power_cuts.py does the same with 4-8-3, and saves after each cut.
    found = cut_everywhere((2, 3, 1), over_another=over_another, save_after=False, stride=stride)
    assert found.cuts >= least
    assert found.before >= found.cuts - 2  # the commit word is what makes it the newest
