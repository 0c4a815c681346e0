"""Recordings as others write them: oscilloscopes, columns of time, Parquet in chunks; what is wrong with a file, in one line."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

import numpy as np
import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from recordings_support import LAYOUTS, RATE, junction, rows, tektronix_mdo, times

from mtjlearn.noise import Recording, RecordingError, load_recording, open_recording, write_recording
from mtjlearn.noise.files import Part, text
from mtjlearn.noise.files.stream import PLAUSIBLE, settled_unit


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("ends", ["\n", "\r\n"], ids=["unix", "windows"])
def test_what_oscilloscopes_export(tmp_path: Path, name: str, ends: str) -> None:
    write, layout, digits = LAYOUTS[name]
    volts = junction()
    path = written(tmp_path / f"{name}.csv", write(volts).replace("\n", ends))
    stream = open_recording(path)
    recording = load_recording(path)
    assert (stream.layout, stream.unit, recording.starts) == (layout, "V", (0,))
    assert recording.rate == pytest.approx(RATE, rel=1e-6)
    np.testing.assert_allclose(recording.values, volts, rtol=0, atol=0.51 * digits)
    assert not recording.codes
    assert list(stream.parts())
    assert stream.notes == []


@pytest.mark.parametrize("name", LAYOUTS)
def test_an_export_without_samples_is_one_line(tmp_path: Path, name: str) -> None:
    lines = LAYOUTS[name][0](junction()).splitlines(keepends=True)
    head = lines[: len(lines) - 60]
    path = written(tmp_path / "cut.csv", "".join(head) if head else lines[0][:12])
    with pytest.raises(RecordingError, match=r"cut\.csv: holds no samples") as caught:
        load_recording(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", LAYOUTS)
def test_an_export_that_ends_inside_a_row_is_one_line(tmp_path: Path, name: str) -> None:
    content = LAYOUTS[name][0](junction()).rstrip(",\n")
    mark = ";" if "german" in name else ","
    path = written(tmp_path / "cut.csv", content[: content.rindex(mark)])
    with pytest.raises(RecordingError, match="it was cut off; remove that line") as caught:
        load_recording(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("missing", [1, 3])
def test_an_export_that_ends_inside_a_number_gives_no_wrong_value(tmp_path: Path, name: str, missing: int) -> None:
    volts = junction()
    content = LAYOUTS[name][0](volts).rstrip(",\n")
    path = written(tmp_path / "cut.csv", content[: -9 if name == "digilent" else -missing])
    if content[:-missing][-1] in "eE-+":
        with pytest.raises(RecordingError, match=r"line \d+ has '.*', the last: it was cut off"):
            load_recording(path)
        return
    stream = open_recording(path)
    assert sum(part.values.size for part in stream.parts()) == volts.size - 1
    assert "is short and has no end: it may have been cut off, and is ignored" in stream.notes[0]


def test_a_last_line_without_an_end_counts(tmp_path: Path) -> None:
    for content in ("100\n99\n9", "0.5\n-0.25\n0.5", "7", "volts\n0.5"):
        stream = open_recording(written(tmp_path / "a.txt", content))
        assert sum(part.values.size for part in stream.parts()) == len(content.replace("volts", "").split())
        assert stream.notes == []


def test_an_export_with_fewer_samples_than_it_announces_has_a_note(tmp_path: Path) -> None:
    content = tektronix_mdo(junction()).replace("Record Length,60", "Record Length,4000")
    stream = open_recording(written(tmp_path / "a.csv", content))
    assert sum(part.values.size for part in stream.parts()) == 60
    list(stream.parts())
    assert stream.notes == ["the file announces 4,000 samples and has 60: it may have been cut off"]


def test_two_waveforms_next_to_each_other(tmp_path: Path) -> None:
    volts = junction()
    content = tektronix_mdo(volts).replace("TIME,CH1", "TIME,CH1,,TIME,D0")
    lines = [line + (",,0.0,1" if line[:2].lstrip("-").isdigit() else "") for line in content.splitlines()]
    path = written(tmp_path / "a.csv", "\n".join(lines) + "\n")
    recording = load_recording(path, column="CH1")
    np.testing.assert_allclose(recording.values, volts, atol=6e-6)
    assert recording.rate == pytest.approx(RATE)
    with pytest.raises(RecordingError, match="name one of CH1, D0 with --column"):
        load_recording(path)


@pytest.mark.parametrize(
    ("stated", "rate"), [("2500Hz", 2.5e3), ("2.5e3 Hz", 2.5e3), ("40 kHz", 4e4), ("0.5MHz", 5e5), ("1.25 GHz", 1.25e9)]
)
def test_a_rate_that_a_comment_states_is_in_its_unit(tmp_path: Path, stated: str, rate: float) -> None:
    path = written(tmp_path / "a.csv", f"#Sample rate: {stated}\n\nChannel 1 (V)\n" + rows((junction(50), ".6f")))
    assert load_recording(path).rate == pytest.approx(rate, rel=1e-9)


@pytest.mark.parametrize(("digits", "rate"), [(".2e", 1e6), (".1e", 1e6), (".4f", 25e3)])
def test_times_with_too_few_digits_leave_the_rate_to_the_heading(tmp_path: Path, digits: str, rate: float) -> None:
    volts = junction(4000)
    recording = load_recording(written(tmp_path / "a.csv", tektronix_mdo(volts, rate, digits)))
    assert recording.rate == pytest.approx(rate)
    assert recording.starts == (0,)


def test_times_with_too_few_digits_and_no_heading_give_the_rate_over_all(tmp_path: Path) -> None:
    volts = junction(4000)
    at = times(volts, 25e3, 0.0)
    recording = load_recording(written(tmp_path / "a.csv", "time,volts\n" + rows((at, ".4f"), (volts, ".6f"))))
    assert recording.rate == pytest.approx(25e3, rel=1e-3)
    assert recording.starts == (0,)


@pytest.mark.parametrize(
    ("heading", "scale", "seconds"),
    [
        ("time,volts", 1, 1),
        ("time (s),voltage (V)", 1, 1),
        ("Time [ms],Voltage [mV]", 1e3, 1e3),
        ("t_us,noise_uV", 1e6, 1e6),
        ("t,mV", 1e3, 1),
        ("voltage (µV),time (µs)", 1e6, 1e6),
        ('"time (ns)","V"', 1, 1e9),
    ],
)
def test_units_in_headings(tmp_path: Path, heading: str, scale: float, seconds: float) -> None:
    volts = junction()
    columns = [(seconds * times(volts), ".9g"), (scale * volts, ".9g")]
    order = columns[::-1] if heading.startswith("voltage") else columns
    recording = load_recording(written(tmp_path / "a.csv", heading + "\n" + rows(*order)))
    assert recording.rate == pytest.approx(RATE, rel=1e-6)
    assert recording.unit == "V"
    np.testing.assert_allclose(recording.values, volts, rtol=1e-7)


def test_the_same_in_latin_1_and_utf_16(tmp_path: Path) -> None:
    volts = junction()
    content = "time (µs);voltage (µV)\n" + rows((1e6 * times(volts), ".9g"), (1e6 * volts, ".9g"), delimiter=";")
    for encoding in ("latin-1", "utf-16"):
        recording = load_recording(written(tmp_path / "a.csv", content.encode(encoding)))
        np.testing.assert_allclose(recording.values, volts, rtol=1e-7)
        assert recording.rate == pytest.approx(RATE)


def test_millivolts_without_a_unit_are_asked_for(tmp_path: Path) -> None:
    volts = junction(200)
    for heading, values in (("time,voltage", 1e3 * volts), ("time,voltage", np.rint(1e3 * volts)), ("time,noise", 1e3 * volts)):
        path = written(tmp_path / "a.csv", heading + "\n" + rows((times(volts), ".6f"), (values, ".3f")))
        with pytest.raises(RecordingError, match="without a unit: say what they are with --unit mV, uV, V or codes"):
            load_recording(path)
        recording = load_recording(path, unit="mV")
        assert recording.unit == "V"
        np.testing.assert_allclose(recording.values, volts, atol=6e-4)
    with pytest.raises(RecordingError, match="unit 'kV' is unknown"):
        load_recording(path, unit="kV")


def test_a_unit_that_contradicts_the_file_is_refused(tmp_path: Path) -> None:
    volts = junction()
    path = written(tmp_path / "a.csv", "volts\n" + rows((volts, ".6f")))
    with pytest.raises(RecordingError, match="states that its samples are in V; omit --unit"):
        load_recording(path, unit="mV")
    assert load_recording(path, unit="V").unit == "V"


def test_a_gap_in_time_is_a_hole(tmp_path: Path) -> None:
    volts = junction(3000)
    at = times(volts) + np.where(np.arange(3000) >= 2001, 1.0, 0.0)
    recording = load_recording(written(tmp_path / "a.csv", "time,volts\n" + rows((at, ".9f"), (volts, ".6f"))), rate=7.0)
    assert recording.starts == (0, 2001)
    assert recording.rate == pytest.approx(RATE)


def test_one_lost_sample_is_a_hole_and_jitter_is_not(tmp_path: Path) -> None:
    volts = junction(1000)
    at = times(volts) + np.random.default_rng(0).uniform(-2e-5, 2e-5, 1000)
    keep = np.arange(1000) != 300
    recording = load_recording(written(tmp_path / "a.csv", "time,volts\n" + rows((at[keep], ".9f"), (volts[keep], ".6f"))))
    assert recording.starts == (0, 300)
    assert recording.rate == pytest.approx(RATE, rel=1e-3)


def test_holes_across_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "BLOCK", 1000)
    volts = junction(500)
    at = times(volts) + np.where(np.arange(500) >= 250, 0.5, 0.0)
    path = written(tmp_path / "a.csv", "time,volts\n" + rows((at, ".9f"), (volts, ".6f")))
    parts = list(open_recording(path).parts())
    assert len(parts) > 5
    assert [part.done for part in parts] == sorted(part.done for part in parts)
    assert parts[0].done < 1
    assert parts[-1].done == 1
    recording = load_recording(path)
    assert recording.starts == (0, 250)
    np.testing.assert_allclose(recording.values, volts, atol=1e-6)
    numbers = np.arange(500) + np.where(np.arange(500) >= 250, 7, 0)
    path = written(tmp_path / "b.csv", "number,volts\n" + rows((numbers, "d"), (volts, ".6f")))
    assert load_recording(path).starts == (0, 250)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "time,volts\n0,1\n1,2\n2,1\n1.5,2\n2.5,1\n3.5,2\n" + "".join(f"{4.5 + i},1\n" for i in range(20)),
            "time runs backwards at sample 4",
        ),
        ("Time [s],Channel 0\n0.0,0\n0.695,1\n0.69567,0\n0.9,1\n2.5,0\n", "not evenly spaced in time"),
        ("time,volts\n3,1\n2,2\n1,1\n", "times do not rise"),
        ("time,volts\n1,1\n1,2\n1,1\n", "times do not rise"),
        ("time (weeks),volts\n1,1\n2,2\n3,1\n", "its times are in weeks: use s, ms, us or ns"),
        ("Time,Channel A\n(ms),(A)\n\n1,1\n2,2\n", "is in A: choose a voltage with --column"),
        ("Time,Channel A\n(ms),(mV)\n\n1,1\n2,∞\n3,2\n", "line 5 has '∞': the signal left the instrument's range"),
        ("TIME,CH1,CH2\n0,1,2\n1,2,3\n", "several columns of samples: name one of CH1, CH2 with --column"),
        ("0.1,1\n0.2,2\n", "several columns; give it a heading"),
        ("a,b,c\n1,2\n3,4\n", "has 2 columns under a heading of 3"),
        ("time,volts\n0,1\n1,\n2,3\n", "has 1 of 2 columns in line 3"),
        ("-1e308\n1e308\n" * 50, "sample 1 is -1e\\+308: neither a code nor volts"),
        (b"\x00\x01\x02" * 50, "is not text"),
        ("1" * 200_000, "is not text: a line has no end"),
        ("hello\n" * 500, "holds no samples: no line has numbers alone; it begins with 'hello'"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "bytes",
)
def test_wrong_files_are_one_line(tmp_path: Path, content: str | bytes, message: str) -> None:
    path = written(tmp_path / "wrong.csv", content)
    with pytest.raises(RecordingError, match=message) as caught:
        load_recording(path)
    assert str(caught.value).startswith(str(path))
    assert str(caught.value).count("wrong.csv") == 1
    assert "\n" not in str(caught.value)


def test_a_channel_by_its_name(tmp_path: Path) -> None:
    volts = junction()
    content = tektronix_mdo(volts).replace("TIME,CH1", "TIME,CH1,CH2").replace("Vertical Units,V", "Vertical Units,A,mV")
    lines = [line + (",44.5" if line[:2].lstrip("-").isdigit() else "") for line in content.splitlines()]
    path = written(tmp_path / "a.csv", "\n".join(lines) + "\n")
    assert load_recording(path, column="ch2").values.tolist() == [0.0445] * 60
    with pytest.raises(RecordingError, match="is in A"):
        load_recording(path, column="CH1")
    with pytest.raises(RecordingError, match="no column 'CH3': it has TIME, CH1, CH2"):
        load_recording(path, column="CH3")


def chunk(path: Path, values: np.ndarray, name: str = "V", **others: np.ndarray) -> None:
    parquet.write_table(pyarrow.table({name: values, **others}), path)


def test_numbered_parquet_chunks(tmp_path: Path) -> None:
    volts = junction(1200)
    for number in range(12):
        chunk(tmp_path / f"mtj_{number}.pqt", volts[100 * number : 100 * (number + 1)])
    for path in (tmp_path, tmp_path / "*.pqt"):
        stream = open_recording(path, rate=40e3)
        recording = load_recording(path, rate=40e3)
        assert (stream.layout, stream.unit, recording.rate, recording.starts) == ("Parquet in 12 files", "V", 40e3, (0,))
        np.testing.assert_array_equal(recording.values, volts)
    (tmp_path / "mtj_7.pqt").unlink()
    stream = open_recording(tmp_path)
    assert stream.notes == ["numbers are missing before mtj_8.pqt: a hole"]
    assert load_recording(tmp_path).starts == (0, 700)
    assert load_recording(tmp_path / "mtj_3.pqt").values.size == 100


def test_parquet_with_times_and_an_index(tmp_path: Path) -> None:
    volts = junction(500).astype(np.float32)
    at = times(volts) + np.where(np.arange(500) >= 200, 0.5, 0.0)
    chunk(tmp_path / "a.parquet", 1000 * volts, "voltage (mV)", **{"time (s)": at, "__index_level_0__": np.arange(500)})
    recording = load_recording(tmp_path / "a.parquet")
    assert recording.starts == (0, 200)
    assert recording.rate == pytest.approx(RATE)
    np.testing.assert_allclose(recording.values, volts, rtol=1e-6)


def test_wrong_parquet_files_are_one_line(tmp_path: Path) -> None:
    def refused(path: Path) -> str:
        with pytest.raises(RecordingError) as caught:
            load_recording(path)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    assert "has no Parquet files" in refused(tmp_path)
    assert "no file matches" in refused(tmp_path / "x*.pqt")
    assert "No such file" in refused(tmp_path / "x.pqt")
    chunk(tmp_path / "a_1.pqt", junction())
    whole = (tmp_path / "a_1.pqt").read_bytes()
    written(tmp_path / "a_2.pqt", whole[:-20])
    assert "a_2.pqt is damaged" in refused(tmp_path)
    chunk(tmp_path / "a_2.pqt", junction(), "mV")
    assert "a_2.pqt has other columns" in refused(tmp_path)
    parquet.write_table(pyarrow.table({"V": [0.1, None, 0.3]}), tmp_path / "a_2.pqt")
    assert "cells without a value" in refused(tmp_path)
    parquet.write_table(pyarrow.table({"V": ["a", "b"]}), tmp_path / "a_2.pqt")
    assert "holds string, not numbers" in refused(tmp_path / "a_2.pqt")
    chunk(tmp_path / "a_2.pqt", np.zeros(0))
    assert "holds no samples" in refused(tmp_path / "a_2.pqt")
    damaged = bytearray(whole)
    damaged[10:200] = bytes(190)
    written(tmp_path / "a_3.pqt", bytes(damaged))
    assert "a_3.pqt is damaged" in refused(tmp_path / "a_3.pqt")


@pytest.mark.parametrize("suffix", [".npz", ".pqt", ".csv"])
def test_what_is_written_is_read_again(tmp_path: Path, suffix: str) -> None:
    volts = junction(300)
    holes = (50,) if suffix != ".pqt" else ()
    parts = [Part(volts[:200], holes), Part(volts[200:], (0,) if holes else ())]
    assert write_recording(tmp_path / f"a{suffix}", parts, RATE) == 300
    recording = load_recording(tmp_path / f"a{suffix}")
    np.testing.assert_allclose(recording.values, volts, rtol=1e-8)
    assert recording.starts == ((0, 50, 200) if holes else (0,))
    assert recording.rate == pytest.approx(RATE)
    assert recording.unit == "V"
    codes = [Part(np.array([3.0, 4, 5]))]
    write_recording(tmp_path / f"b{suffix}", codes, 9615.0, "codes")
    assert load_recording(tmp_path / f"b{suffix}").codes


def test_values_without_a_unit_are_codes_or_volts_or_asked_for() -> None:
    assert settled_unit(None, np.array([0.0, 1023.0]), "") is None
    assert settled_unit(None, np.array([-PLAUSIBLE, PLAUSIBLE]), "") is None
    assert settled_unit(None, np.array([0.0, PLAUSIBLE]), "voltage") == "V"
    assert settled_unit("mV", np.array([0.5, 1023.0]), "") == "mV"
    for values, named in (([-1.0, 1023.0], ""), ([0.5, 1023.0], ""), ([0.0, 1023.0], "voltage")):
        with pytest.raises(RecordingError, match="values up to 1023 without a unit: say what they are with --unit"):
            settled_unit(None, np.array(values), named)


def test_a_format_without_holes_refuses_them_and_leaves_nothing(tmp_path: Path) -> None:
    for suffix in (".pqt", ".f32"):
        with pytest.raises(RecordingError, match="no place for holes"):
            write_recording(tmp_path / f"a{suffix}", [Part(junction(), (0, 7))], RATE)
    with pytest.raises(RecordingError, match="plays volts, not codes"):
        write_recording(tmp_path / "a.f32", [Part(np.ones(3))], RATE, "codes")
    for name in ("a.txt", "a"):
        with pytest.raises(RecordingError, match=rf"{name} is named otherwise than \.npz, "):
            write_recording(tmp_path / name, [Part(junction())], RATE)
    assert list(tmp_path.iterdir()) == []
    write_recording(tmp_path / "a.f32", [Part(junction())], RATE)
    np.testing.assert_allclose(np.fromfile(tmp_path / "a.f32", "<f4"), 1000 * junction(), rtol=1e-6)


def test_the_unit_of_a_recording_is_kept(tmp_path: Path) -> None:
    Recording(np.array([0.0, 1.0, 0.0]), unit="V").save(tmp_path / "a.npz")
    assert not load_recording(tmp_path / "a.npz").codes
    with pytest.raises(RecordingError, match="in V or codes, not in mV"):
        Recording(np.ones(3), unit="mV")


CELLS = st.sampled_from(
    ["0", "1", "-1.5", "1e400", "nan", "x", "time", "CH1", "V", "s", "(ms)", "(mV)", "Source", "Increment", "", "∞", "#"]
)
LINES = st.lists(st.lists(CELLS, min_size=1, max_size=6).map(",".join) | st.text(max_size=20), max_size=12)


@pytest.mark.slow
@given(LINES, st.sampled_from([None, "V", "codes"]), st.sampled_from([None, "CH1"]))
@settings(max_examples=1000, deadline=None)
def test_any_text_is_read_or_refused(lines: list[str], unit: str | None, column: str | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder) / "any.csv", "\n".join(lines).encode("utf-8", "surrogatepass"))
        with contextlib.suppress(RecordingError):
            assert load_recording(path, unit=unit, column=column).values.size
