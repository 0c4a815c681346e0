"""What a page may do: nothing unless --control says so, and then only what is valid."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.testclient import TestClient

from mtjlearn.board import BoardError
from mtjlearn.dashboard import trainings as children
from mtjlearn.dashboard.actions import Actions
from mtjlearn.dashboard.app import MOST_BODY, Page
from mtjlearn.dashboard.hub import Hub
from mtjlearn.dashboard.rundirs import RunsWatch
from mtjlearn.dashboard.trainings import TrainingError, Trainings
from mtjlearn.runs import Run, list_runs

TOKEN = "token"
TRAIN = {"data": "iris", "board": "none", "rule": "anp", "seed": 0}
PATIENCE = 120.0


class Desk:
    """Remembers what it was asked for."""

    def __init__(self) -> None:
        self.told: list[tuple[str, ...]] = []

    def find(self, name: str) -> Any:
        if name != "/dev/board":
            raise BoardError(f"{name} is not watched; watch it first")
        tell = self.told.append
        return SimpleNamespace(
            lend=lambda state: tell(("lend", state)),
            take_back=lambda: tell(("take back",)),
            do=lambda job: tell(("do", getattr(job, "__name__", ""))),
        )

    def is_watched(self, name: str) -> bool:
        return name == "/dev/board"

    def is_connected(self, name: str) -> bool:
        return name in ("/dev/board", "/dev/free")

    def watch(self, name: str) -> None:
        self.told.append(("watch", name))

    def look(self) -> None:
        pass


class Started:
    """Remembers what is trained."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.done = lambda: None
        self.stopped: list[int] = []
        self.problem: Exception | None = None

    def train(self, words: list[str], done: Any) -> int:
        if self.problem is not None:
            raise self.problem
        self.words, self.done = words, done
        return 7

    def stop(self, number: int) -> None:
        self.stopped.append(number)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def started() -> Started:
    return Started()


@pytest.fixture
def page(tmp_path: Path, desk: Desk, started: Started) -> TestClient:
    hub = Hub()
    actions = Actions(desk, started, tmp_path, {"mine.csv": tmp_path / "mine.csv"})  # type: ignore[arg-type]
    return client(Page(hub, RunsWatch(tmp_path, hub), actions))


def client(page: Page) -> TestClient:
    return TestClient(page.app(TOKEN), base_url="http://127.0.0.1:8000")


def act(page: TestClient, action: str, asked: Any, **headers: str) -> tuple[int, dict[str, Any]]:
    found = page.post(
        f"/{TOKEN}/actions/{action}", content=json.dumps(asked), headers={"Content-Type": "application/json", **headers}
    )
    return found.status_code, found.json()


def test_a_page_is_read_only_unless_asked_for(tmp_path: Path) -> None:
    hub = Hub()
    page = client(Page(hub, RunsWatch(tmp_path, hub), None))
    with page:
        assert hub.value("page") == {"control": False, "choices": None}
        for action in ("train", "stop", "watch", "release", "learn", "halt", "checkpoint", "nothing"):
            assert act(page, action, TRAIN) == (
                403,
                {"error": "this page is read-only; start it with mtjlearn dashboard --control"},
            )


def test_files_runs_and_nothing_else_are_served(tmp_path: Path) -> None:
    hub = Hub()
    with Run.create(tmp_path, "train", "iris", 0, {}) as run:
        run.keep()
        run.metric(step=1, loss=0.5)
        runs = RunsWatch(tmp_path, hub)
        runs.look()
        page = client(Page(hub, runs, None))
        assert "mtjlearn" in page.get(f"/{TOKEN}/").text
        assert page.get(f"/{TOKEN}/main.js").headers["content-type"].startswith("text/javascript")
        assert page.get(f"/{TOKEN}/runs/{run.path.name}").json()["curves"] == {"loss": [[1, 0.5]]}
        for path in (
            "../app.py",
            "%2e%2e%2fapp.py",
            "app.py",
            "uPlot.LICENSE",
            "nothing.js",
            "runs/nothing",
            "runs/%2e%2e",
            "runs/..%2f..%2fetc",
        ):
            assert page.get(f"/{TOKEN}/{path}").status_code in (403, 404), path
        assert page.post(f"/{TOKEN}/").status_code == 405
        assert page.get(f"/{TOKEN}/actions/train").status_code == 405


def test_a_training_is_started_with_the_words_of_the_command(page: TestClient, started: Started, desk: Desk) -> None:
    assert act(page, "train", {**TRAIN, "epochs": 5}) == (200, {"number": 7})
    assert started.words == ["--board", "none", "--seed", "0", "--rule", "anp", "--epochs", "5", "--", "iris"]
    assert desk.told == []


def test_a_training_is_stopped_by_its_number(page: TestClient, started: Started) -> None:
    assert act(page, "stop", {"number": 7}) == (200, {})
    assert act(page, "stop", {"number": 0})[0] == act(page, "stop", {})[0] == 400
    assert started.stopped == [7]


def test_a_file_needs_to_be_named_at_the_start(page: TestClient, started: Started, tmp_path: Path) -> None:
    assert act(page, "train", {**TRAIN, "data": "mine.csv", "target": "y"})[0] == 200
    assert started.words[-4:] == ["--target", "y", "--", str(tmp_path / "mine.csv")]
    assert act(page, "train", {**TRAIN, "data": "mine.csv"}) == (400, {"error": "target is missing, or not of type str"})
    assert act(page, "train", {**TRAIN, "data": "other.csv"})[0] == 400


def test_a_watched_board_is_lent_to_a_training(page: TestClient, started: Started, desk: Desk) -> None:
    assert act(page, "train", {**TRAIN, "board": "/dev/board"})[0] == 200
    assert desk.told == [("lend", "lent")]
    started.done()
    assert desk.told[-1] == ("take back",)
    desk.told.clear()
    assert act(page, "train", {**TRAIN, "board": "/dev/free"})[0] == 200
    assert desk.told == []
    started.problem = BoardError("no more processes")
    assert act(page, "train", {**TRAIN, "board": "/dev/board"}) == (409, {"error": "no more processes"})
    assert desk.told[-1] == ("take back",)
    desk.told.clear()
    started.problem = OSError("no temporary files")
    assert act(page, "train", {**TRAIN, "board": "/dev/board"})[0] == 409
    assert desk.told[-1] == ("take back",)


@pytest.mark.parametrize("target", ["\0", "\ud800"])
def test_text_that_no_argument_can_hold_starts_nothing(tmp_path: Path, target: str) -> None:
    hub = Hub()
    with pytest.raises(TrainingError, match="cannot be started"):
        Trainings(tmp_path, hub).train(["--target", target, "--", "iris"], lambda: None)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"data": "mnist"}, "data"),  # it would be downloaded
        ({"data": "--help"}, "data"),
        ({"data": "/etc/passwd"}, "data"),
        ({"data": 1}, "data"),
        ({"data": ["iris"]}, "data"),
        ({"board": "/dev/other"}, "board"),
        ({"board": "--resume"}, "board"),
        ({"board": None}, "board"),
        ({"rule": "bp"}, "rule"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**31}, "seed"),
        ({"seed": True}, "seed"),
        ({"seed": "0"}, "seed"),
        ({"seed": 0.5}, "seed"),
        ({"epochs": 0}, "epochs"),
        ({"epochs": "5"}, "epochs"),
    ],
)
def test_a_training_that_is_not_valid(page: TestClient, started: Started, changes: dict[str, Any], named: str) -> None:
    status, found = act(page, "train", {**TRAIN, **changes})
    assert status == 400
    assert found["error"].startswith(named)
    assert started.words == []


def test_what_is_no_action(page: TestClient) -> None:
    assert act(page, "format", {}) == (400, {"error": "there is no action format"})
    for asked in ([], "x", None, 3):
        assert act(page, "train", asked)[0] == 400
    url = f"/{TOKEN}/actions/train"
    kind = {"Content-Type": "application/json"}
    assert page.post(url, content=b"{", headers=kind).status_code == 400
    assert page.post(url, content=b"[" * MOST_BODY, headers=kind).status_code == 400
    assert page.post(url, content=b"\xff", headers=kind).status_code == 400
    assert page.post(url, content=b" " * (MOST_BODY + 1), headers=kind).status_code == 413
    # A form of another page's can be sent without being asked, with these types alone.
    for form in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        assert page.post(url, content=json.dumps(TRAIN), headers={"Content-Type": form}).status_code == 415


def test_actions_of_a_board(page: TestClient, desk: Desk) -> None:
    for action in ("halt", "learn", "checkpoint", "release"):
        status, found = act(page, action, {"board": "/dev/other", "data": "xor", "seed": 0})
        assert (status, found["error"]) == (409, "/dev/other is not watched; watch it first")
    assert act(page, "halt", {"board": "/dev/board"}) == (200, {})
    assert act(page, "learn", {"board": "/dev/board", "data": "xor", "seed": 1, "epochs": 3}) == (200, {"net": "2-4-1"})
    assert act(page, "learn", {"board": "/dev/board", "data": "iris", "seed": 1}) == (200, {"net": "4-8-3"})
    assert act(page, "learn", {"board": "/dev/board", "data": "live", "seed": 1})[0] == 400
    assert act(page, "watch", {"board": "/dev/board"}) == (200, {})
    assert act(page, "watch", {"board": "socket://evil.example:80"})[0] == 400
    assert act(page, "release", {"board": "/dev/board"}) == (200, {})
    assert desk.told == [("do", "halt"), ("do", "<lambda>"), ("do", "<lambda>"), ("watch", "/dev/board"), ("lend", "released")]


# --- processes ---


@pytest.mark.slow
def test_trainings_are_processes_that_can_be_stopped_and_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "MOST", 2)
    hub, ended = Hub(), threading.Event()
    trainings = Trainings(tmp_path, hub)
    trainings.start()
    try:
        long = ["--board", "native", "--no-reference", "--epochs", "60000", "--", "iris"]
        number = trainings.train(long, ended.set)
        wrong = threading.Event()
        trainings.train(["--board", "none", "--", "no-such-data"], wrong.set)
        with pytest.raises(children.TrainingError, match="2 trainings run already"):
            trainings.train(long, lambda: None)
        assert wrong.wait(PATIENCE)
        (failed,) = [child for child in wait_for(hub, "ended") if child["state"] == "ended"]
        assert "no-such-data" in failed["text"]
        wait_for_steps(tmp_path)
        trainings.stop(number)
        trainings.stop(number)  # a second Ctrl-C would end it without its weights
        assert ended.wait(PATIENCE)
        with pytest.raises(children.TrainingError, match="has ended already"):
            trainings.stop(number)
    finally:
        trainings.close()
    (run,) = list_runs(tmp_path)
    assert run.state == "interrupted"
    assert (run.path / "weights.npz").exists()


@pytest.mark.slow
def test_trainings_save_their_weights_when_the_page_ends(tmp_path: Path) -> None:
    trainings = Trainings(tmp_path, Hub())
    trainings.start()
    trainings.train(["--board", "native", "--no-reference", "--epochs", "60000", "--", "iris"], lambda: None)
    wait_for_steps(tmp_path)
    trainings.close()
    (run,) = list_runs(tmp_path)
    assert run.state == "interrupted"
    assert (run.path / "weights.npz").exists()


def wait_for(hub: Hub, state: str) -> list[dict[str, Any]]:
    for _ in range(int(PATIENCE / 0.05)):
        found: list[dict[str, Any]] = hub.value("started")
        if any(child["state"] == state for child in found):
            return found
        threading.Event().wait(0.05)
    raise AssertionError(found)


def wait_for_steps(root: Path) -> None:
    """Until some training has learned something."""
    for _ in range(int(PATIENCE / 0.05)):
        if any(path.stat().st_size for path in root.glob("*/metrics.jsonl")):
            return
        threading.Event().wait(0.05)
    raise AssertionError("nothing is learned")
