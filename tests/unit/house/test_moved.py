"""Modules that the pages of version 0.1.0 name import by those paths, and are the ones of today."""

from __future__ import annotations

import importlib
import sys

import pytest

from mtjlearn.moved import MOVED


@pytest.mark.parametrize("old", MOVED)
def test_the_old_path_is_the_module_of_today(old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, old, raising=False)
    with pytest.warns(DeprecationWarning, match=f"{old} is {MOVED[old]} now"):
        found = importlib.import_module(old)
    assert found is importlib.import_module(MOVED[old])


def test_documented_names_import() -> None:
    from mtjlearn import __version__, board, discovery, fixedpoint, inprocess, network, noise, training, validate
    from mtjlearn.noise import health

    assert __version__[0].isdigit()
    for module, names in {
        board: ["Board", "BoardError", "Schedule", "CHECKPOINT_INTERVAL"],
        discovery: ["open_board", "list_boards"],
        fixedpoint: ["FixedNetwork"],
        inprocess: ["Learner"],
        network: ["Network"],
        noise: ["Recording"],
        training: ["BOARD_RULES", "RULES", "Plan", "RuleName", "default_plan", "train"],
        validate: ["check_board", "compare"],
        health: ["HealthLimits"],
    }.items():
        assert not [name for name in names if not hasattr(module, name)], module.__name__
