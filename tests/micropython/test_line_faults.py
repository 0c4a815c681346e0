"""The host's link and the device in MicroPython, with a line between them that damages, loses, repeats and delays what it carries:
the tests of the C device in tests/unit/wire.
"""

from __future__ import annotations

import importlib.util

import faulty_link_support
import pytest
from faulty_link_support import KINDS, run_faults
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test
from places import TESTS
from stepped_support import SteppedDevice, Stepper

pytestmark = pytest.mark.thorough


@pytest.fixture(autouse=True)
def _in_micropython(stepper: Stepper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faulty_link_support, "InProcessDevice", SteppedDevice)


def module(name: str) -> object:
    """A copy of a module of tests/unit/wire, whose devices are in MicroPython."""
    spec = importlib.util.spec_from_file_location(f"micropython_{name}", TESTS / "unit" / "wire" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    vars(made).update(InProcessDevice=SteppedDevice)
    return made


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_fault_alone(kind: str) -> None:
    rig = run_faults(500, 400, seed=3, kinds=(kind,))
    assert isinstance(rig.device, SteppedDevice)


@pytest.mark.parametrize("window", [256, 4096])
def test_faults_with_other_windows(window: int) -> None:
    run_faults(500, 300, seed=9, window=window)


@pytest.mark.slow
def test_many_faults() -> None:
    rig = run_faults(10_000, 400, seed=1)
    assert rig.link.counters.resent > 10_000
    assert rig.link.counters.received_bad > 2_000


@pytest.mark.slow
def test_refused_commands_are_all_reported_whatever_gets_lost() -> None:
    module("test_faults_host").test_refused_commands_are_all_reported_whatever_gets_lost()  # type: ignore[attr-defined]


@pytest.mark.slow
def test_anything_may_happen_between_host_and_device() -> None:
    machine = module("test_faults_machine").HostAndDevice  # type: ignore[attr-defined]
    run_state_machine_as_test(machine, settings=settings(max_examples=15, stateful_step_count=30, deadline=None))


@pytest.mark.parametrize("later", [256, 512])
def test_a_command_that_returns_is_not_executed_again(later: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("device_support.InProcessDevice", SteppedDevice)
    module("test_returned_frames").test_a_command_that_returns_is_not_executed_again(later)  # type: ignore[attr-defined]
