"""Takes the pictures of docs/dashboard.md: ``python tests/browser/screenshots.py [FOLDER]``. Look at each of them."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from lab import MISSING, Lab, find_browser, launch

from mtjlearn.board import Board, Schedule
from mtjlearn.training.autonomous import begin, plan_dataset, plan_task, suited
from mtjlearn.training.defaults import default_plan
from mtjlearn.wire.messages import Task

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
DESKTOP = {"width": 1200, "height": 900}
PHONE = {"width": 390, "height": 844}


def learn(url: str) -> None:
    """Lets a board learn iris, for longer than the pictures take."""
    plan = default_plan("iris", seed=0)
    with Board.open(url) as board:
        begin(board, plan_dataset(plan, suited(plan, Schedule(epochs=60000, evaluate_every=20))))


def take_overview(lab: Lab, folder: Path) -> None:
    """The whole page: a board that learns, one that does not, a training that is over, and its curves; light, dark, on a phone."""
    learning, idle = lab.board(seed=3), lab.board(seed=4)
    learn(learning.url)
    lab.serve("--control", "--board", learning.url, "--board", idle.url)
    page = lab.look(viewport=DESKTOP, color_scheme="light")
    page.get_by_text("Start a training").click()
    form = page.locator("#training form")
    form.get_by_label("Data", exact=True).select_option("iris")
    form.get_by_label("Board", exact=True).select_option("native")
    form.get_by_label("Epochs").fill("60")
    form.get_by_role("button", name="Start").click()
    page.get_by_role("article", name="training").get_by_text("finished").wait_for()
    page.get_by_text("Start a training").click()
    page.get_by_role("row", name="train-iris-s0").get_by_role("checkbox").check()
    page.locator("#runs .overlay").get_by_role("img", name="Test accuracy").wait_for()
    whole(page, DESKTOP)
    page.screenshot(path=folder / "dashboard-light.png")
    page.emulate_media(color_scheme="dark")
    whole(page, DESKTOP)
    page.screenshot(path=folder / "dashboard-dark.png")
    whole(page, PHONE)
    page.screenshot(path=folder / "dashboard-phone-whole.png")
    page.set_viewport_size(PHONE)
    page.evaluate("document.querySelector('#training').scrollIntoView()")
    page.wait_for_timeout(1500)
    page.screenshot(path=folder / "dashboard-phone.png")


def take_fault(lab: Lab, folder: Path) -> None:
    """The card of a board whose junction has lost its contact."""
    board = lab.board(fault="open", fault_after=1)
    with Board.open(board.url) as opened:
        begin(opened, plan_task(Schedule(Task.XOR), sizes=None, seed=0))
    lab.serve("--board", board.url)
    page = lab.look(viewport={"width": 640, "height": 900}, color_scheme="light")
    card = page.get_by_role("article", name="board")
    card.get_by_text("open", exact=True).wait_for()
    card.get_by_role("img", name="Autocorrelation").wait_for()
    whole(page, {"width": 640, "height": 900})
    card.screenshot(path=folder / "dashboard-fault.png")


def whole(page: Any, size: dict[str, int]) -> None:
    """Makes the window as high as the page, so that the header that sticks to the top is there."""
    page.set_viewport_size(size)
    page.wait_for_timeout(1500)
    page.set_viewport_size({**size, "height": page.evaluate("document.documentElement.scrollHeight")})
    page.wait_for_timeout(1500)


def main() -> None:
    """Takes all pictures."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        sys.exit(MISSING)
    path = find_browser()
    if path is None:
        sys.exit(MISSING)
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES
    with sync_playwright() as playwright:
        browser = launch(playwright, path)
        for take in (take_overview, take_fault):
            with tempfile.TemporaryDirectory() as runs, Lab(Path(runs), browser) as lab:
                take(lab, folder)
                if lab.problems:
                    sys.exit("\n".join(lab.problems))
        browser.close()


if __name__ == "__main__":
    main()
