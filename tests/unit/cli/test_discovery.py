"""Which board is opened, and what is said when none can be chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import click
import pytest

from mtjlearn import discovery
from mtjlearn.board import Board, BoardError, BoardLost
from mtjlearn.cli.view.options import virtual_options
from mtjlearn.discovery import VIRTUAL, board_options, list_boards, open_board


@dataclass
class Port:
    device: str
    vid: int | None = None
    pid: int | None = None
    serial_number: str | None = None
    product: str | None = None
    description: str = "n/a"


UNO = Port("/dev/ttyACM0", 0x2341, 0x0043, "7503", "Arduino Uno")
CLONE = Port("/dev/ttyACM1", 0x2A03, 0x0043)
MINIMA = Port("/dev/ttyACM2", 0x2341, 0x0069)
DFU = Port("/dev/ttyACM3", 0x2341, 0x0369)
PICO = Port("/dev/ttyACM4", 0x2E8A, 0x0005)
CH340 = Port("/dev/ttyUSB0", 0x1A86, 0x7523, None, "USB Serial")
MODEM = Port("/dev/ttyACM9", 0x1234, 0x5678, None, "Mobile Modem")
BUILT_IN = Port("/dev/ttyS0")


@pytest.fixture
def plug(monkeypatch: pytest.MonkeyPatch) -> Any:
    def with_ports(*ports: Port) -> None:
        monkeypatch.setattr(discovery.list_ports, "comports", lambda: list(ports))

    return with_ports


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    urls: list[str] = []
    monkeypatch.setattr(Board, "open", classmethod(lambda cls, url, **options: urls.append(url)))
    return urls


def test_boards_are_listed_virtual_first_then_known_then_others(plug: Any) -> None:
    plug(CH340, PICO, BUILT_IN, MODEM, UNO, CLONE, MINIMA, DFU)
    boards = list_boards()
    assert [(b.name, b.known, b.virtual) for b in boards[: len(VIRTUAL)]] == [(name, True, True) for name in VIRTUAL]
    assert [(b.name, b.known) for b in boards[len(VIRTUAL) :]] == [
        ("/dev/ttyACM0", True),
        ("/dev/ttyACM1", True),
        ("/dev/ttyACM2", True),
        ("/dev/ttyACM4", True),
        ("/dev/ttyACM3", False),
        ("/dev/ttyACM9", False),
        ("/dev/ttyUSB0", False),
    ]
    described = {b.name: b for b in boards}
    assert described["/dev/ttyACM0"].description == "Arduino Uno R3"
    assert described["/dev/ttyACM0"].serial_number == "7503"
    assert described["/dev/ttyACM2"].description == "Arduino Uno R4 Minima"
    assert "bootloader" in described["/dev/ttyACM3"].description
    assert described["/dev/ttyUSB0"].description == "CH340 adapter, as on many Nanos (1a86:7523)"
    assert described["/dev/ttyACM9"].description == "Mobile Modem (1234:5678)"


def test_the_only_known_board_is_found_by_itself(plug: Any, opened: list[str]) -> None:
    plug(CH340, UNO, MODEM)
    open_board()
    assert opened == ["/dev/ttyACM0"]


def test_several_boards_are_a_choice_of_the_user(plug: Any, opened: list[str]) -> None:
    plug(UNO, MINIMA)
    with pytest.raises(BoardError, match="choose one with --board: /dev/ttyACM0, /dev/ttyACM2"):
        open_board()
    assert opened == []


def test_a_port_of_unknown_make_is_opened_only_by_name(plug: Any, opened: list[str]) -> None:
    plug(CH340, MODEM)
    with pytest.raises(BoardError, match=r"no board found; connect one, or name its port .*/dev/ttyACM9, /dev/ttyUSB0"):
        open_board()
    assert opened == []
    open_board("/dev/ttyUSB0")
    assert opened == ["/dev/ttyUSB0"]


def test_no_board_at_all(plug: Any) -> None:
    plug(BUILT_IN)
    with pytest.raises(BoardError, match="no board found; connect one, or use a virtual one, such as --board native"):
        open_board()


def test_options_of_virtual_boards_are_for_virtual_boards(opened: list[str]) -> None:
    with pytest.raises(BoardError, match="seed: only virtual boards accept this"):
        open_board("/dev/ttyACM0", seed=3)
    assert opened == []


def test_virtual_boards_name_the_options_that_they_have(opened: list[str]) -> None:
    assert board_options("/dev/ttyACM0") == board_options(None) == frozenset()
    for name in VIRTUAL:
        assert {"seed", "preset", "device_noise"} <= board_options(name)
        with pytest.raises(BoardError, match=f"colour, size: {name} has no such option; it accepts .*preset, .*seed"):
            open_board(name, size=3, seed=1, colour="red")
    with pytest.raises(BoardError, match="virtual_clock: uno-sim has no such option"):
        open_board("uno-sim", virtual_clock=16)
    with pytest.raises(click.UsageError, match="uno-sim has no --virtual-clock; omit it"):
        virtual_options("uno-sim", virtual_clock=16, preset=None)
    with pytest.raises(click.UsageError, match="--preset sets up a virtual board; omit it, or use a virtual one"):
        virtual_options("/dev/ttyACM0", preset="bench")
    assert virtual_options("m4-sim", preset="bench", device_noise=None) == {"preset": "bench"}


def test_the_native_board_is_started_and_ended() -> None:
    with open_board("native", virtual_clock=16, seed=4) as board:
        assert board.info.name == "native"
        native = board._owned
        assert native is not None
        assert native.process.poll() is None  # type: ignore[attr-defined]
    assert native.process.poll() is not None  # type: ignore[attr-defined]


def test_a_native_board_that_ended_is_not_looked_for_at_its_old_port() -> None:
    with open_board("native", virtual_clock=16) as board:
        native = board._owned
        native.process.kill()  # type: ignore[union-attr]
        native.process.wait()  # type: ignore[union-attr]
        with pytest.raises(BoardLost):
            board.status()
        with pytest.raises(BoardLost, match="process of the virtual board has ended"):
            board.reconnect()


def test_options_that_the_native_board_refuses_are_an_error_in_one_line() -> None:
    with pytest.raises(BoardError) as caught:
        open_board("native", adc_bits=11)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("uno", "uno is a kind of board; give your board's port (`mtjlearn boards` lists them), or use its simulator with"),
        ("mega2560", "is a kind of board"),
        ("uno_streamed", "is a kind of board"),
        ("esp32", "is a kind of board"),
        ("uno_sim", "did you mean uno-sim?"),
        ("Native", "did you mean native?"),
        ("COM", "virtual boards are native, inprocess, uno-sim, m4-sim, m0-sim"),
        ("", "--board is empty"),
        ("/dev/ttyACM0@0", "300 to 4,000,000 baud"),
        ("/dev/ttyACM0@9999999", "300 to 4,000,000 baud"),
        ("/dev/ttyACM0@" + "9" * 5000, "/dev/ttyACM0@999999999999...: a line rate is"),
    ],
)
def test_a_name_that_is_no_port_gets_what_was_meant(plug: Any, opened: list[str], name: str, words: str) -> None:
    plug()
    with pytest.raises(BoardError) as caught:
        open_board(name)
    assert words in str(caught.value)
    assert len(str(caught.value)) < 200
    assert opened == []


@pytest.mark.parametrize("name", ["COM3", "com12", "cu0"])
def test_ports_without_a_slash_are_ports(plug: Any, opened: list[str], name: str) -> None:
    plug(Port("cu0"))
    open_board(name)
    assert opened == [name]


@pytest.mark.parametrize(
    ("name", "opened"),
    [
        ("/dev/ttyACM0", ("/dev/ttyACM0", 250_000)),
        ("/dev/ttyACM0@115200", ("/dev/ttyACM0", 115_200)),
        ("socket://127.0.0.1:4000", ("socket://127.0.0.1:4000", 250_000)),
        ("socket://me@host:4000", ("socket://me@host:4000", 250_000)),
    ],
)
def test_the_line_rate_stands_behind_the_port(monkeypatch: pytest.MonkeyPatch, name: str, opened: tuple[str, int]) -> None:
    calls: list[tuple[str, int]] = []
    monkeypatch.setattr(discovery.Board, "open", lambda url, *, baud, log, timeout: calls.append((url, baud)))
    open_board(name)
    assert calls == [opened]
    assert discovery.at_rate(*opened) == name


@pytest.mark.parametrize(("name", "text"), [("natve", "did you mean native"), ("natve@9600", "did you mean native"), ("", "empty")])
def test_what_no_port_can_be_named_is_refused_without_opening_anything(name: str, text: str) -> None:
    with pytest.raises(BoardError, match=text):
        discovery.check_port(name)
    discovery.check_port("/dev/ttyACM0")
    discovery.check_port(discovery.at_rate("/dev/ttyACM0", 9600))
