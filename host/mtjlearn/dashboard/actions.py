"""What a page may do with ``--control``: every request is checked before anything happens."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from mtjlearn.board import Board, CheckpointFile, Schedule
from mtjlearn.dashboard.desk import Desk
from mtjlearn.dashboard.trainings import Trainings
from mtjlearn.datasets.builtin import BUILTIN
from mtjlearn.errors import UserError
from mtjlearn.network import BOARD_RULES
from mtjlearn.virtual.boards import VIRTUAL

TASKS = ("teacher", "xor")
"""What a board learns without data."""
_NO_BOARD = "none"
_MOST_SEED = 2**31 - 1
_MOST_EPOCHS = 65535

Value = TypeVar("Value")


class ActionError(UserError):
    """A request that is not valid; the text says which field."""


class Actions:
    """What the buttons of the page do.

    Args:
        desk: the boards.
        trainings: the page's own.
        root: directory of runs, where checkpoints are saved, too.
        files: data files that may be trained, besides the built-in datasets.
    """

    def __init__(self, desk: Desk, trainings: Trainings, root: Path, files: Mapping[str, Path]) -> None:
        self._desk = desk
        self._trainings = trainings
        self._root = root
        self._files = files
        self._saving = threading.Lock()

    def choices(self) -> dict[str, Any]:
        """What the forms offer."""
        virtual = [name for name, board in VIRTUAL.items() if board.available]
        return {
            "data": [*BUILTIN, *self._files],
            "boards": [*virtual, _NO_BOARD],
            "rules": list(BOARD_RULES),
            "tasks": list(TASKS),
        }

    def perform(self, action: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Does what a page asks for.

        Args:
            action: name of the action.
            asked: its fields.

        Returns:
            What became of it.

        Raises:
            ActionError: a field is missing or out of range, or there is no such action.
            UserError: what it does fails.
        """
        actions: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "train": self._train,
            "stop": self._stop,
            "watch": self._watch,
            "release": self._release,
            "learn": self._learn,
            "halt": self._halt,
            "checkpoint": self._checkpoint,
        }
        if action not in actions:
            raise ActionError(f"there is no action {action}")
        return actions[action](asked)

    def _train(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        data = _choice(asked, "data", [*BUILTIN, *self._files])
        board = _field(asked, "board", str)
        words = ["--board", board, "--seed", str(_number(asked, "seed", 0, _MOST_SEED))]
        words += ["--rule", _choice(asked, "rule", BOARD_RULES)]
        if asked.get("epochs") is not None:
            words += ["--epochs", str(_number(asked, "epochs", 1, _MOST_EPOCHS))]
        if data in self._files:
            words += ["--target", _field(asked, "target", str)]
        words += ["--", str(self._files.get(data, data))]
        if board == _NO_BOARD or board in VIRTUAL:
            return {"number": self._trainings.train(words, lambda: None)}
        if not self._desk.is_connected(board):
            raise ActionError(f"board: {board} is not connected")
        if not self._desk.is_watched(board):
            return {"number": self._trainings.train(words, lambda: None)}
        watch = self._desk.find(board)
        watch.lend("lent")
        try:
            return {"number": self._trainings.train(words, watch.take_back)}
        except BaseException:
            watch.take_back()
            raise

    def _stop(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        self._trainings.stop(_number(asked, "number", 1, _MOST_SEED))
        return {}

    def _watch(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        name = _field(asked, "board", str)
        if not self._desk.is_connected(name):
            raise ActionError(f"board: {name} is not connected")
        self._desk.watch(name)
        self._desk.look()
        return {}

    def _release(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        self._desk.find(_field(asked, "board", str)).lend("released")
        return {}

    def _learn(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        from mtjlearn.training.autonomous import begin, plan_dataset, plan_task, suited
        from mtjlearn.training.defaults import default_plan
        from mtjlearn.wire.messages import Task

        what = _choice(asked, "data", [*TASKS, *BUILTIN])
        seed = _number(asked, "seed", 0, _MOST_SEED)
        epochs = _number(asked, "epochs", 1, _MOST_EPOCHS) if asked.get("epochs") is not None else 0
        if what in TASKS:
            plan = plan_task(Schedule(Task[what.upper()], epochs=epochs, seed=seed + 1), sizes=None, seed=seed)
        else:
            learned = default_plan(what, seed=seed)
            plan = plan_dataset(learned, suited(learned, Schedule(epochs=epochs, seed=seed + 1)))
        self._desk.find(_field(asked, "board", str)).do(lambda board: begin(board, plan))
        return {"net": plan.network.name}

    def _halt(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        self._desk.find(_field(asked, "board", str)).do(Board.halt)
        return {}

    def _checkpoint(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        def save(board: Board) -> CheckpointFile:
            return CheckpointFile(board.save_checkpoint(), board.info.name, board.info.build, time.time())

        found = self._desk.find(_field(asked, "board", str)).do(save)
        stem = f"{time.strftime('%Y%m%d-%H%M%S')}-{re.sub('[^A-Za-z0-9_]+', '-', found.board)}"
        with self._saving:
            path, number = self._root / f"{stem}.ckpt", 1
            while path.exists():
                number += 1
                path = self._root / f"{stem}-{number}.ckpt"
            self._root.mkdir(parents=True, exist_ok=True)
            found.write(path)
        return {"file": str(path), "steps": found.content.record.steps}


def _field(asked: Mapping[str, Any], name: str, kind: type[Value]) -> Value:
    value = asked.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ActionError(f"{name} is missing, or not of type {kind.__name__}")
    return value


def _number(asked: Mapping[str, Any], name: str, least: int, most: int) -> int:
    value = _field(asked, name, int)
    if not least <= value <= most:
        raise ActionError(f"{name} must be {least} .. {most:,}")
    return value


def _choice(asked: Mapping[str, Any], name: str, choices: Any) -> str:
    value = _field(asked, name, str)
    if value not in choices:
        raise ActionError(f"{name} must be one of {', '.join(choices)}")
    return value
