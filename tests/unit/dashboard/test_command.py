"""``mtjlearn dashboard`` as a user types it: mistakes, its address, its end; and the page's colours."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import pytest
import uvicorn
from click.testing import CliRunner

from mtjlearn.cli import main
from mtjlearn.dashboard.app import STATIC, Page
from mtjlearn.dashboard.serve import MOST_CONNECTIONS, PortTakenError, _Server, open_socket, serve

PATIENCE = 120.0
TEXT = ("ink", "muted", "accent", "good", "warn", "bad", "live")
LEAST_CONTRAST, LEAST_OF_CURVES = 4.5, 3.0


def mistake(*words: str) -> str:
    found = CliRunner().invoke(main, ["dashboard", *words])
    assert found.exit_code == 2, found.output
    (line,) = found.stderr.strip().splitlines()
    return line


def test_mistakes(tmp_path: Path) -> None:
    file, same = tmp_path / "a.csv", tmp_path / "b" / "a.csv"
    same.parent.mkdir()
    for path in (file, same):
        path.write_text("x,y\n1,2\n")
    assert "needs --control" in mistake("--data", str(file))
    assert "have the same name" in mistake("--control", "--data", str(file), "--data", str(same))
    assert "nothing.csv" in mistake("--control", "--data", "nothing.csv")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"port {port} cannot be used" in mistake("--port", port)


def test_a_missing_package_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("mtjlearn.dashboard.access", "mtjlearn.dashboard.serve"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert re.search(r"the page needs uvicorn; install it with: .* 'mtjlearn\[dashboard\]'", mistake())


def test_the_page_is_on_loopback_alone() -> None:
    with open_socket(0) as listener:
        address, port = listener.getsockname()
        assert address == "127.0.0.1"
        with pytest.raises(PortTakenError):
            open_socket(port)


def test_a_board_that_cannot_be_started_is_a_line_and_ends_the_others() -> None:
    assert "inprocess lives inside one program" in mistake("--board", "native", "--board", "inprocess")


@pytest.mark.parametrize("words", [(), ("--control",)])
def test_nothing_can_be_started_without_control(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    given: list[object] = []

    class Seen(Page):
        def __init__(self, *parts: Any) -> None:
            given.append(parts[-1])
            super().__init__(*parts)

    monkeypatch.setattr("mtjlearn.dashboard.app.Page", Seen)
    monkeypatch.setattr("mtjlearn.dashboard.serve.serve", lambda *_: None)
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(main, ["dashboard", *words]).exit_code == 0
    (actions,) = given
    assert (actions is not None) == bool(words)


def test_the_server_logs_no_token_trusts_no_proxy_and_says_nothing_of_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[uvicorn.Config] = []

    class Seen:
        def __init__(self, config: uvicorn.Config, _: object) -> None:
            seen.append(config)

        def run(self, sockets: list[socket.socket]) -> None:
            assert [one.getsockname()[0] for one in sockets] == ["127.0.0.1"]

    monkeypatch.setattr("mtjlearn.dashboard.serve._Server", Seen)
    listener, page = open_socket(0), cast(Any, object())
    serve(page, listener, lambda: None)
    assert listener.fileno() == -1
    (config,) = seen
    assert not config.access_log
    assert not config.proxy_headers
    assert not config.server_header
    assert (config.ws, config.log_level, config.limit_concurrency) == ("none", "error", MOST_CONNECTIONS)
    assert 0 < (config.timeout_graceful_shutdown or 0) < 10


def test_another_interruption_does_not_skip_the_end() -> None:
    told = []
    server = _Server(uvicorn.Config(lambda: None), lambda: told.append("closing"))
    for _ in range(3):
        server.handle_exit(signal.SIGINT, None)
    assert server.should_exit
    assert not server.force_exit
    assert told == ["closing"] * 3


@pytest.mark.thorough
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_end(tmp_path: Path, number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "mtjlearn", "dashboard", "--json"], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        with urllib.request.urlopen(url, timeout=PATIENCE) as page:
            assert b"mtjlearn" in page.read()
        with urllib.request.urlopen(f"{url}events", timeout=PATIENCE) as stream:  # which never ends by itself
            assert stream.readline().startswith(b"data: ")
            process.send_signal(number)
            assert process.wait(PATIENCE) == 0
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(url, timeout=PATIENCE)
    finally:
        process.kill()
        process.communicate()


# --- colours ---


def themes() -> list[dict[str, str]]:
    """Light, dark by the system, and dark by choice."""
    style = (STATIC / "style.css").read_text(encoding="utf-8")
    blocks = [dict(re.findall(r"--([\w-]+): (#\w{6})", block)) for block in re.findall(r"\{([^{}]*--paper: #[^{}]*)\}", style)]
    assert len(blocks) == 3
    return blocks


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def test_text_and_curves_can_be_read_in_every_theme() -> None:
    for theme in themes():
        for ground in ("paper", "card", "tint"):
            for name in TEXT:
                assert contrast(theme[name], theme[ground]) >= LEAST_CONTRAST, (name, theme[name], ground)
        for number in range(6):
            assert contrast(theme[f"c{number}"], theme["card"]) >= LEAST_OF_CURVES, number
        for end in ("heat-low", "heat-high"):
            assert contrast(theme[end], theme["heat-none"]) >= LEAST_OF_CURVES, end


def test_dark_is_the_same_by_choice_and_by_the_system() -> None:
    _, *dark = themes()
    assert all(first == second for first, second in pairwise(dark))
