"""``mtjlearn boards`` lists what is there and shows what a board reports about itself."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from serial.tools import list_ports

from mtjlearn.board import Board
from mtjlearn.cli.boards import cli
from mtjlearn.virtual.native import start_native

VIRTUAL = ["native", "inprocess", "uno-sim", "m4-sim", "m0-sim", "micropython"]


def port(device, vid=0x2341, pid=0x0043, serial_number="85735", product=None):
    return SimpleNamespace(device=device, vid=vid, pid=pid, serial_number=serial_number, product=product, description="n/a")


@pytest.fixture
def connect(monkeypatch):
    """``connect(*ports)``: the ports that the computer has."""

    def connect(*ports):
        monkeypatch.setattr(list_ports, "comports", lambda: list(ports))

    connect()
    return connect


def run(*arguments):
    return CliRunner().invoke(cli, [*arguments, "--json"])


def test_virtual_boards_are_always_there(connect):
    found = run()
    assert found.exit_code == 0
    boards = json.loads(found.stdout)["boards"]
    assert [(board["name"], board["virtual"]) for board in boards] == [(name, True) for name in VIRTUAL]
    assert all(f"--board {name}" in found.stderr for name in VIRTUAL)
    assert "no board is connected" in found.stderr


def test_an_unknown_port_is_listed_and_left_alone(connect):
    connect(port("/dev/ttyUSB7", vid=0x1A86, pid=0x7523))
    found = run()
    result = json.loads(found.stdout)
    assert [board["name"] for board in result["boards"]] == [*VIRTUAL, "/dev/ttyUSB7"]
    assert "info" not in result
    assert "CH340" in found.stderr
    assert "if one is at another port" in found.stderr


def test_named_board_tells_its_hello(connect):
    found = run("--board", "native")
    info = json.loads(found.stdout)["info"]
    assert info["name"] == "native"
    assert (info["adc_bits"], info["adc_rate"], info["reset_cause"]) == (10, 9615, "power_on")
    assert info["millivolts_per_code"] == pytest.approx(1100 / 1024)
    assert {"ADC_LIVE", "DECORRELATION"} <= set(info["features"])
    for text in (info["build"], "9,615 codes/s", "full scale 1.1 V", "1.07 mV per code", "65,536 bytes"):
        assert text in found.stderr


def test_the_only_board_is_listed_and_opened(connect):
    with start_native(adc_bits=12) as native:
        connect(port(native.url))
        found = run()
    result = json.loads(found.stdout)
    assert [board["description"] for board in result["boards"]][len(VIRTUAL) :] == ["Arduino Uno R3"]
    assert result["info"]["adc_bits"] == 12
    assert "85735" in found.stderr


def test_two_boards_are_not_opened(connect):
    connect(port("/dev/ttyACM7"), port("/dev/ttyACM8"))
    result = json.loads(run().stdout)
    assert [board["name"] for board in result["boards"]] == [*VIRTUAL, "/dev/ttyACM7", "/dev/ttyACM8"]
    assert "info" not in result


def test_a_list_survives_a_board_in_use(connect):
    with start_native() as native, Board.open(native.url):
        connect(port(native.url))
        found = run()
    assert found.exit_code == 0
    assert "info" not in json.loads(found.stdout)
    assert "another program uses" in found.stderr


@pytest.mark.parametrize("name", ["/dev/no-such-port", "socket://127.0.0.1:1"])
def test_a_board_that_is_not_there(connect, name):
    found = run("--board", name)
    assert found.exit_code == 2
    assert len(found.stderr.strip().splitlines()) == 1
    assert name in json.loads(found.stdout)["error"]


def test_a_busy_port(connect):
    with start_native() as native, Board.open(native.url):
        found = run("--board", native.url)
    assert found.exit_code == 2
    assert len(found.stderr.strip().splitlines()) == 1
    assert "another program uses" in found.stderr


def test_help():
    assert "what its firmware reports about itself" in CliRunner().invoke(cli, ["--help"]).stdout.replace("\n  ", " ")
