"""The page in a real browser, as a person at it: trainings, broken noise, unplugged boards, keyboard, phone, both themes."""

from __future__ import annotations

import re
import signal
from itertools import pairwise
from typing import Any

import pytest
from lab import PATIENCE, Lab

from mtjlearn.board import Board, CheckpointFile, Schedule
from mtjlearn.runs import Run
from mtjlearn.training.autonomous import begin, plan_task
from mtjlearn.wire.messages import Task

pytestmark = pytest.mark.slow


def card(page: Any, name: str) -> Any:
    return page.get_by_role("article", name=name)


def test_a_training_is_started_and_watched_to_its_end(lab: Lab) -> None:
    lab.serve("--control")
    page = lab.look()
    page.get_by_text("Start a training").click()
    page.get_by_label("Data", exact=True).select_option("iris")
    page.get_by_label("Board", exact=True).select_option("native")
    page.get_by_label("Epochs").fill("60")
    page.get_by_role("button", name="Start").click()
    training = card(page, "training")
    training.get_by_text("running").wait_for()
    training.get_by_role("img", name="Weights of layer 2").wait_for()
    training.get_by_text("finished").wait_for()
    assert training.get_by_text("7,200 of 7,200").count() == 1
    assert training.get_by_text("native", exact=True).count() == 1
    assert "steps" in training.get_by_role("img", name="Loss").get_attribute("aria-label")
    row = page.get_by_role("row", name="train-iris-s0")
    row.get_by_text("finished").wait_for()
    row.get_by_role("checkbox").check()
    overlay = page.locator("#runs .overlay")
    overlay.get_by_role("img", name="Accuracy").or_(overlay.get_by_role("img", name="Test accuracy")).wait_for()
    page.locator(".started").get_by_text("finished").wait_for()
    overlay.get_by_text("Values").first.click()
    overlay.get_by_role("table").first.get_by_role("row").nth(10).wait_for()


def test_a_training_is_stopped(lab: Lab) -> None:
    lab.serve("--control")
    page = lab.look()
    page.get_by_text("Start a training").click()
    page.get_by_label("Board", exact=True).select_option("native")
    page.get_by_label("Epochs").fill("60000")
    page.get_by_role("button", name="Start").click()
    training = card(page, "training")
    training.get_by_role("img", name="Weights of layer 1").wait_for()
    page.get_by_role("button", name="Stop training 1").click()
    training.get_by_text("interrupted").wait_for()


def test_a_training_in_another_terminal_appears_with_its_board(lab: Lab) -> None:
    board = lab.board()
    training = lab.command("train", "iris", "--board", board.url, "--epochs", "20000", "--no-reference")
    lab.wait_for("runs/*-train-iris-s0/weights.npz")  # it has the board now
    lab.serve("--board", board.url)
    page = lab.look()
    watched = card(page, f"board {board.url}")
    watched.get_by_text("train-iris-s0, which is shown under Training").wait_for()
    card(page, "training").get_by_text("running").wait_for()
    training.send_signal(signal.SIGINT)
    card(page, "training").get_by_text("interrupted").wait_for()
    watched.get_by_text("here", exact=True).wait_for()


def test_autonomous_watch_in_another_terminal_appears(lab: Lab) -> None:
    board = lab.board()
    with Board.open(board.url) as opened:
        begin(opened, plan_task(Schedule(Task.XOR), sizes=None, seed=0))
    lab.command("autonomous", "watch", "--board", board.url)
    lab.wait_for("runs/*-autonomous-xor-s0")
    lab.serve("--board", board.url)
    page = lab.look()
    card(page, "training").get_by_role("img", name="Loss: board").wait_for()
    card(page, f"board {board.url}").get_by_text("autonomous-xor-s0, which is shown under Training").wait_for()


def test_a_board_learns_and_stops_as_the_page_asks(lab: Lab) -> None:
    board = lab.board()
    lab.serve("--control", "--board", board.url)
    page = lab.look()
    watched = card(page, f"board {board.url}")
    watched.get_by_text("Learn autonomously").click()
    watched.get_by_label("Data or task").select_option("xor")
    watched.get_by_role("button", name="Start").click()
    watched.get_by_text("2-4-1 learns on the board").wait_for()
    watched.get_by_role("img", name="Loss on the board").wait_for()
    watched.get_by_role("button", name="Save a checkpoint").click()
    watched.get_by_text("saved after").wait_for()
    (saved,) = (lab.folder / "runs").glob("*.ckpt")
    assert CheckpointFile.read(saved).content.network.name == "2-4-1"
    watched.get_by_role("button", name="Stop learning").click()
    watched.get_by_text("halted (host)").wait_for()


def test_noise_breaks_and_heals(lab: Lab) -> None:
    memory = lab.folder / "eeprom"
    broken = lab.board(eeprom=memory, fault="open", fault_after=1)
    with Board.open(broken.url) as opened:
        begin(opened, plan_task(Schedule(Task.XOR), sizes=None, seed=0))
    lab.serve("--board", broken.url)
    page = lab.look()
    watched = card(page, f"board {broken.url}")
    watched.get_by_text("open", exact=True).wait_for()
    assert "check its contacts" in watched.get_by_text("The board's own tests").inner_text()
    watched.get_by_text("waits for healthy noise").wait_for()
    broken.kill()
    watched.get_by_text("away", exact=True).wait_for()
    lab.board(eeprom=memory, tcp_port=int(broken.url.rpartition(":")[2]))
    watched.get_by_text("good", exact=True).wait_for()
    watched.get_by_text("Autonomous learning: learning").wait_for()


def test_a_board_is_unplugged_and_comes_back(lab: Lab) -> None:
    memory = lab.folder / "eeprom"
    first = lab.board(eeprom=memory)
    with Board.open(first.url) as opened:
        begin(opened, plan_task(Schedule(Task.XOR), sizes=None, seed=0))
    lab.serve("--board", first.url)
    page = lab.look()
    watched = card(page, f"board {first.url}")
    watched.get_by_text("Autonomous learning: learning").wait_for()
    first.kill()
    watched.get_by_text("away", exact=True).wait_for()
    assert "away" in page.get_by_role("status").first.inner_text()
    lab.board(eeprom=memory, tcp_port=int(first.url.rpartition(":")[2]))
    watched.get_by_text("The board is back: it has restarted").wait_for()
    watched.get_by_text("Autonomous learning: learning").wait_for()


def test_a_page_without_control_shows_and_asks_for_nothing(lab: Lab) -> None:
    board = lab.board()
    lab.serve("--board", board.url)
    page = lab.look()
    card(page, f"board {board.url}").get_by_text("good", exact=True).wait_for()
    assert page.get_by_text("read-only").count() == 1
    assert page.locator("form, select").count() == 0
    assert sorted(page.get_by_role("button").all_inner_texts()) == ["Pause", "Theme: system"]
    kind = {"Content-Type": "application/json"}
    assert page.request.post(f"{lab.url}actions/halt", headers=kind, data={"board": board.url}).status == 403
    wrong = lab.url.rstrip("/")[:-1] + "x/"
    assert page.request.get(wrong).status == 403
    assert page.request.get(lab.url, headers={"Origin": "http://evil.example"}).status == 403
    assert page.request.get(lab.url, headers={"Host": "evil.example"}).status == 403


def test_scripts_of_others_do_not_run(lab: Lab) -> None:
    lab.serve()
    page = lab.look()
    page.get_by_text("read-only").wait_for()
    page.evaluate("""() => {
        const script = document.createElement("script");
        script.textContent = "window.owned = true";
        document.body.append(script);
        document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.owned = true'>");
    }""")
    assert page.evaluate("() => fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')") == "refused"
    assert page.evaluate("window.owned") is None
    refused = [problem for problem in lab.problems if "Content Security Policy" in problem]
    assert len(refused) >= 3
    lab.problems.clear()


def test_text_of_a_run_is_text(lab: Lab) -> None:
    with Run.create(lab.folder / "runs", "train", "x", 0, {}) as run:
        run.keep()
        run.update(name="<img src=x onerror=alert(1)>", error="<b>bold</b>")
    lab.serve()
    page = lab.look()
    row = page.get_by_role("row", name="train-x-s0")
    assert "<img src=x" in row.inner_text()
    assert "<b>bold</b>" in row.inner_text()
    assert row.locator("img, b").count() == 0


def test_everything_is_reached_with_the_keyboard(lab: Lab) -> None:
    board = lab.board()
    lab.serve("--control", "--board", board.url)
    page = lab.look()
    card(page, f"board {board.url}").get_by_text("good", exact=True).wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the boards"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent"))
        if reached[-1] == "Start a training":
            break
    assert {"Release the port", "Learn autonomously", "Values", "Start a training"} <= set(reached)
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "data"
    unnamed = """() => [...document.querySelectorAll("button, input, select, canvas[role], [role=img], progress, article")]
        .filter((e) => e.checkVisibility())
        .filter((e) => !(e.textContent.trim() || e.getAttribute("aria-label") || e.labels?.length))
        .map((e) => e.outerHTML)"""
    assert page.evaluate(unnamed) == []
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3')].map((e) => Number(e.tagName[1]))")
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_everything_in_its_width(lab: Lab, scheme: str) -> None:
    board = lab.board()
    lab.serve("--control", "--board", board.url)
    page = lab.look(viewport={"width": 360, "height": 740}, color_scheme=scheme, is_mobile=True, has_touch=True)
    card(page, f"board {board.url}").get_by_text("good", exact=True).wait_for()
    page.get_by_text("Start a training").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", paper))) < 200) == (scheme == "dark")
    before = page.evaluate("getComputedStyle(document.body).color")
    page.get_by_role("button", name="Theme").click()
    page.get_by_role("button", name="Theme: light").click()
    page.get_by_role("button", name="Theme: dark").wait_for()
    assert (page.evaluate("getComputedStyle(document.body).color") == before) == (scheme == "dark")


def test_the_page_pauses_and_says_when_the_server_has_ended(lab: Lab) -> None:
    board = lab.board()
    server = lab.serve("--board", board.url)
    page = lab.look()
    noise = card(page, f"board {board.url}").get_by_role("img", name="Noise now")
    noise.wait_for()
    page.get_by_role("button", name="Pause").click()
    seen = noise.get_attribute("aria-label")
    page.wait_for_timeout(2000)
    assert noise.get_attribute("aria-label") == seen
    page.get_by_role("button", name="Pause").click()
    page.wait_for_function(
        "(seen) => document.querySelector('.plot').getAttribute('aria-label') !== seen", arg=seen, timeout=PATIENCE
    )
    server.send_signal(signal.SIGINT)
    page.get_by_text("reconnecting", exact=True).wait_for()
    assert server.wait(60) == 0
