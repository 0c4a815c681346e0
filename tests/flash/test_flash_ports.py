"""Which board is flashed, and at which port."""

from __future__ import annotations

import os
import pty
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import serial
from flash_support import Port

from mtjlearn import discovery
from mtjlearn.firmware import firmware_root
from mtjlearn.flashing import FlashError, Target, UnoOptions, choose_target, find_target, list_targets
from mtjlearn.flashing.ports import choose_port
from mtjlearn.flashing.targets import option_differences
from mtjlearn.wire.errors import PortBusy, PortForbidden, PortMissing
from mtjlearn.wire.transport import SerialTransport

UNO = Target("uno", "uno", "uno")
STREAMED = Target("uno_streamed", "uno", "uno", extends="uno", streamed_only=True)
NANO = Target("nano", "nanoatmega328new", "uno")
NANO_OLD = Target("nano_old", "nanoatmega328", "uno")
MEGA = Target("mega2560", "megaatmega2560", "arduino")
Plug = Callable[..., None]


@pytest.fixture
def plug(monkeypatch: pytest.MonkeyPatch) -> Plug:
    """``plug(*ports)``: the USB devices that the computer has."""

    def with_ports(*ports: Port) -> None:
        monkeypatch.setattr(discovery.list_ports, "comports", lambda: list(ports))

    with_ports()
    return with_ports


@pytest.fixture
def line() -> Iterator[str]:
    """A pseudo-terminal that nobody serves."""
    master, slave = pty.openpty()
    yield os.ttyname(slave)
    os.close(master)
    os.close(slave)


def uno(device: str = "/dev/ttyACM0", number: str = "1") -> Port:
    return Port(device, 0x2341, 0x0043, number)


def test_the_boards_are_the_environments_of_platformio_ini() -> None:
    targets = list_targets(firmware_root())
    assert "native" not in targets
    assert targets["uno"] == UNO
    hardware = {target.hardware for target in targets.values()}
    assert {target for _, target in discovery._BOARDS.values()} <= hardware == {*targets} - {"uno_streamed"}
    assert targets["uno_streamed"] == STREAMED
    assert (targets["nano"], targets["nano_old"]) == (NANO, NANO_OLD)
    for target in targets.values():
        assert (firmware_root() / "firmware" / "boards" / target.folder).is_dir()


def test_an_unknown_board_is_refused_with_those_there_are() -> None:
    with pytest.raises(FlashError, match=r"no firmware for due; --board accepts .*uno"):
        find_target(firmware_root(), "due")


def test_environments_that_extend_others_take_their_folder(tmp_path: Path) -> None:
    text = "[env]\nbuild_src_filter = +<src/>\n[arduino]\nbuild_src_filter = +<src/> +<boards/arduino/>\n"
    text += "[env:pico]\nextends = arduino\nboard = rpipico ; a comment\n[env:native]\nbuild_src_filter = +<boards/native/>\n"
    (tmp_path / "platformio.ini").write_text(text)
    assert list_targets(tmp_path) == {"pico": Target("pico", "rpipico", "arduino")}


def test_the_board_is_seen_from_the_only_one_connected(plug: Plug) -> None:
    plug(uno(), uno("/dev/ttyACM1", "2"), Port("/dev/ttyUSB0", 0x1A86, 0x7523))
    assert choose_target(None, None, ["uno"]) == "uno"
    assert choose_target("pico", None, ["uno", "pico"]) == "pico"
    plug(uno(), Port("/dev/ttyACM1", 0x2341, 0x0042))
    assert choose_target(None, "/dev/ttyACM1", ["uno", "mega2560"]) == "mega2560"
    with pytest.raises(FlashError, match="several boards are connected; name it with --board: uno, mega2560"):
        choose_target(None, None, ["uno", "mega2560"])
    plug(Port("/dev/ttyUSB0", 0x1A86, 0x7523))
    with pytest.raises(FlashError, match="cannot be seen; name it with --board: uno, esp32"):
        choose_target(None, "/dev/ttyUSB0", ["uno", "esp32"])


def test_the_only_port_with_such_a_board_is_taken(plug: Plug, line: str) -> None:
    plug(Port("/dev/ttyUSB0", 0x1A86, 0x7523), uno(line), Port("/dev/ttyACM1", 0x2341, 0x0042))
    assert choose_port(UNO, None).name == line


@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        ([uno(), uno("/dev/ttyACM1", "2")], "several boards uno .* choose one with --port: /dev/ttyACM0, /dev/ttyACM1"),
        ([], "no uno is connected; connect it by USB"),
        ([Port("/dev/ttyUSB0", 0x1A86, 0x7523)], r"no uno is connected; if it is connected to one of these.*/dev/ttyUSB0 \(CH340"),
        ([Port("/dev/ttyACM0", 0x2341, 0x0042)], "no uno is connected; there is Arduino Mega 2560 at .*: --board mega2560"),
        ([Port("/dev/ttyACM0", 0x2341, 0x0369)], "there is Arduino Uno R4 in its bootloader.*--board uno_r4_minima"),
    ],
)
def test_no_port_or_several_are_told(plug: Plug, ports: list[Port], expected: str) -> None:
    plug(*ports)
    with pytest.raises(FlashError, match=expected):
        choose_port(UNO, None)


def test_another_board_at_the_named_port_is_refused_unless_forced(plug: Plug, line: str) -> None:
    plug(uno(line))
    with pytest.raises(FlashError, match=r"is Arduino Uno R3 by its USB id, not mega2560; .*--board uno, .*--force"):
        choose_port(MEGA, line)
    assert choose_port(MEGA, line, force=True).name == line
    assert choose_port(UNO, line).name == choose_port(STREAMED, line).name == line


@pytest.mark.parametrize("target", [NANO, NANO_OLD])
def test_a_ch340_may_be_a_nano_and_is_none_by_itself(plug: Plug, line: str, target: Target) -> None:
    plug(Port(line, 0x1A86, 0x7523), uno("/dev/ttyACM0"))
    expected = rf"no {target.name} is connected; .*--port: {line} \(CH340 adapter, as on many Nanos \(1a86:7523\)\)"
    with pytest.raises(FlashError, match=expected):
        choose_port(target, None)
    assert choose_port(target, line).name == line
    with pytest.raises(FlashError, match="is Arduino Uno R3 by its USB id, not nano"):
        choose_port(target, "/dev/ttyACM0")
    (port,) = (port for port in discovery.list_boards() if port.name == line)
    assert not port.known
    assert not port.target


def test_a_port_of_unknown_make_is_taken_by_its_name(plug: Plug, line: str) -> None:
    plug(Port(line, 0x1A86, 0x7523))
    assert choose_port(UNO, line).name == line


def test_what_is_wrong_with_a_port_is_told_before_anything_is_built(plug: Plug, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plug()
    with pytest.raises(PortMissing, match="there is no port /dev/no-such-port"):
        choose_port(UNO, "/dev/no-such-port")
    other = SerialTransport(line)
    with pytest.raises(PortBusy, match="another program uses"):
        choose_port(UNO, line)
    other.close()
    with pytest.raises(FlashError, match="not over a network"):
        choose_port(UNO, "socket://127.0.0.1:4000")

    def refuse(*_: object, **__: object) -> None:
        raise serial.SerialException(13, f"could not open port {line}: [Errno 13] Permission denied: '{line}'")

    monkeypatch.setattr(serial, "serial_for_url", refuse)
    with pytest.raises(PortForbidden, match=r"belongs to group \w+; run `sudo usermod"):
        choose_port(UNO, line)


def test_options_of_the_uno_become_flags_and_are_compared_with_what_the_board_says() -> None:
    options = UnoOptions(baud=115200, adc_rate=38462, reference=5000)
    assert options.flags == ["-DUNO_BAUD=115200", "-DUNO_ADC_PRESCALER=32", "-DUNO_REFERENCE_MV=5000"]
    assert UnoOptions().flags == []
    with discovery.open_board("native") as board:
        info = replace(board.info, line_rate=11_764, adc_rate=38_461, adc_reference=5.0)
    assert option_differences(options, info) == []
    assert option_differences(UnoOptions(), info) == []
    assert option_differences(options, replace(info, adc_reference=1.1)) == ["1,100 mV at full scale instead of 5,000"]
    assert len(option_differences(options, replace(info, line_rate=25_000, adc_rate=9615))) == 2
