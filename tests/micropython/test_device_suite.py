"""The tests of the C device (tests/unit/device) with the device in MicroPython: commands, limits, uploads, checkpoints, autonomous
learning. Each test compares with the learner in C or with what C answers.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from types import ModuleType

import pytest
from places import TESTS
from stepped_support import SteppedDevice, Stepper

_MODULES = (
    "test_autonomous",
    "test_checkpoints",
    "test_checkpoints_refused",
    "test_uploads_bounded",
    "test_device_blobs",
    "test_device_learning",
    "test_device_stream",
    "test_exact_limits",
)
_SUPPORT = ("autonomous_support", "checkpoint_support", "device_support")
_LEFT_OUT = {
    "test_an_epoch_has_each_sample_once": "of the host alone",
    "test_points_of_the_curve_keep_eleven_bits": "of the host alone",
    "test_another_format_is_a_clean_start_that_is_told": "writes into an EEPROM; in test_checkpoint_files.py with files",
    "test_format_1_is_anp_with_its_slope": "writes into an EEPROM; in test_checkpoint_files.py with files",
    "test_values_that_no_device_writes_are_no_checkpoint": "writes into an EEPROM; in test_checkpoint_files.py with files",
    "test_nothing_is_learned_while_it_is_saved_and_the_line_is_served": "needs a slow EEPROM",
    "test_codes_that_arrive_meanwhile_do_not_hold_it_up": "needs a slow EEPROM",
}
_SLOW = ("test_saved_at_the_start_at_a_stop_and_in_between", "test_a_streamed_training_is_saved_too")


def _load(name: str) -> ModuleType:
    """A copy of a test module, whose tests make devices in MicroPython."""
    spec = importlib.util.spec_from_file_location(f"micropython_{name}", TESTS / "unit" / "device" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    vars(module).update(InProcessDevice=SteppedDevice)
    return module


def _tests() -> dict[str, Callable[..., object]]:
    found = {}
    for name in _MODULES:
        for key, value in vars(_load(name)).items():
            if key.startswith("test_") and key not in _LEFT_OUT:
                found[key] = pytest.mark.slow(value) if key in _SLOW else value
    return found


globals().update(_tests())


@pytest.fixture(autouse=True)
def _in_micropython(stepper: Stepper, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _SUPPORT:
        monkeypatch.setattr(importlib.import_module(name), "InProcessDevice", SteppedDevice)
