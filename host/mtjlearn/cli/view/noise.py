"""Records a board's noise, and shows and keeps what is known of it."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mtjlearn.board import Board, BoardInfo, BoardLost, Health
from mtjlearn.board.results import NoiseChunk
from mtjlearn.cli.view import noise_fit, noise_health
from mtjlearn.cli.view.autonomous import HEIGHTS
from mtjlearn.cli.view.command import EXIT_INTERRUPTED, EXIT_USAGE, exit_with
from mtjlearn.cli.view.console import bar, print_result, print_rows, result_console, say
from mtjlearn.network import NOISE_BUFFER
from mtjlearn.noise import (
    FitError,
    HmmFit,
    Recording,
    RecordingError,
    Summary,
    autocorrelation,
    characterise,
    fit_hmm,
    open_recording,
    write_recording,
)
from mtjlearn.noise.characterise import split_levels
from mtjlearn.noise.files import Part, joined
from mtjlearn.noise.verdict import board_hints, verdict
from mtjlearn.noise.whole import ANALYSED, Tally, Whole
from mtjlearn.plots import noise_plot
from mtjlearn.runs import Run
from mtjlearn.runs.storage import describe
from mtjlearn.wire.frame import OVERHEAD
from mtjlearn.wire.messages import NoiseCodes

_VERDICTS = {
    "good": "a board learns well with it",
    "usable": "a board can learn with it, but:",
    "unusable": "no board learns well with it:",
}
LAGS = (1, 2, 5, 10, 20, 50)
"""Samples between the two whose correlation is shown."""


@dataclass(frozen=True)
class Source:
    """What was recorded, and of what.

    Info, burst and health belong to boards; layout, notes and, of a file that is longer than what is analysed, the figures of
    its whole length to files.
    """

    name: str
    recording: Recording
    info: BoardInfo | None = None
    burst: int | None = None
    health: Health | None = None
    layout: str | None = None
    whole: Whole | None = None
    notes: tuple[str, ...] = ()

    @property
    def millivolts(self) -> tuple[float, float] | None:
        """Offset and scale of the recording's unit in mV; None for codes of an unknown converter."""
        if self.info is not None:
            # A converter rounds down: a code stands for the middle of its step.
            return 0.5, self.info.millivolts_per_code
        return None if self.recording.codes else (0.0, 1000.0)


def read(file: Path, rate: float | None, unit: str | None, column: str | None) -> Source:
    """Reads a recording: the first :data:`ANALYSED` samples to analyse, and the rest part by part, to be counted.

    Raises:
        RecordingError: it cannot be read.
    """
    stream = open_recording(file, rate, unit, column)
    with bar(f"reading {file.name}") as progress:
        recording, rest = joined(stream, ANALYSED)
        tally = Tally(split_levels(recording.values))
        for part in rest:
            if not tally.samples:
                tally.add(Part(recording.values, recording.starts[1:]))
            tally.add(part)
            progress.update(round(100 * part.done), 100, f"% of the file, {tally.samples:,} samples")
    whole = tally.whole() if tally.samples else None
    return Source(file.name, recording, layout=stream.layout, whole=whole, notes=tuple(stream.notes))


def record(board: Board, seconds: float, codes: int | None, burst: int | None) -> Source:
    """Records a board's noise.

    Args:
        board: its source.
        seconds: how long, unless ``codes`` says how many.
        codes: how many codes.
        burst: codes without a hole; 0: all; None: as the line allows.

    Raises:
        BoardLost, KeyboardInterrupt: before the first code.
    """
    info = board.info
    if burst is None:
        burst = 0 if _fits_line(info) else NOISE_BUFFER
    if burst:
        say(f"recording bursts of {burst} codes")
    wanted = codes or max(NOISE_BUFFER, round(seconds * info.adc_rate))
    chunks: list[NoiseChunk] = []
    received, done = 0, 0
    try:
        with board.noise_stream(burst=burst) as stream, bar(f"noise of {info.name}") as progress:
            while done < wanted:
                chunk = next(stream)
                chunks.append(chunk)
                received += len(chunk.codes)
                # Time is what the converter counted, holes included.
                done = received if codes else (chunk.first - chunks[0].first) % 2**32 + len(chunk.codes)
                progress.update(min(done, wanted), wanted)
    except (KeyboardInterrupt, BoardLost) as stop:
        if not chunks:
            raise
        say(f"{str(stop) or 'interrupted'}; continuing with the {received:,} codes recorded until then")
        exit_with(EXIT_INTERRUPTED if isinstance(stop, KeyboardInterrupt) else EXIT_USAGE)
    parts = [(chunk.first, chunk.codes) for chunk in chunks]
    if done > wanted:
        first, last = parts[-1]
        parts[-1] = (first, last[: wanted - done])
    return Source(info.name, Recording.from_chunks(parts, info.adc_rate), info, burst)


def _fits_line(info: BoardInfo) -> bool:
    """Whether the line carries every code, in the frames that the firmware makes of them."""
    header = NoiseCodes.LAYOUT.size
    codes = min(NOISE_BUFFER // 2, (info.max_payload - header) * 8 // info.adc_bits)
    frame = header + math.ceil(codes * info.adc_bits / 8) + OVERHEAD
    return not info.line_rate or info.adc_rate / codes * frame <= info.line_rate


def keep(run: Run, source: Source, save: Path | None, plot: Path | None, fit: bool = False) -> dict[str, Any]:
    """Characterises the recording, shows it and writes it; the result as --json prints it.

    Raises:
        RecordingError: it could be written nowhere, or not where it was asked for.
    """
    recording = source.recording
    path = _store(source, run.path / "noise.npz", save)
    summary = characterise(recording, None if source.millivolts is None else source.millivolts[1])
    hints = _hints(source, summary)
    broken = source.health is not None and bool(source.health.fault)
    worth = verdict(summary, hints, codes=source.recording.codes, broken=broken)
    notes = [*summary.notes, *source.notes]
    _show(source, summary)
    fitted = _fit(recording) if fit else None
    if fitted is not None:
        print_rows(noise_fit.rows(fitted, source.millivolts, recording.codes))
    print_result(f"verdict: {worth}; {_VERDICTS[worth]}")
    for text in (*hints, *notes):
        print_result(f"  {text}")
    drawn: Path | None = plot or run.path / "noise.png"
    assert drawn is not None
    scale = None if source.info is None else source.info.millivolts_per_code
    try:
        noise_plot(recording, drawn, millivolts_per_code=scale, title=f"noise of {source.name}")
    except OSError as error:
        say(f"there is no plot: {describe(drawn, error)}")
        drawn = None
    else:
        print_result(f"plot: {drawn}")
    print_result(f"recording: {save or path}")
    return {
        "board": None if source.info is None else source.info.name,
        "file": None if source.info is not None else source.name,
        "codes": summary.samples if source.whole is None else source.whole.samples,
        "holes": summary.segments - 1 if source.whole is None else source.whole.holes,
        "burst": source.burst,
        "rate": summary.rate,
        **_figures(source, summary),
        "health": noise_health.plain_health(source.health),
        "verdict": worth,
        "hints": hints,
        "notes": notes,
        "layout": source.layout,
        "unit": unit_of(source),
        "analysed": summary.samples,
        "whole": None if source.whole is None else asdict(source.whole),
        **({"hmm": None if fitted is None else noise_fit.figures(fitted, source.millivolts)} if fit else {}),
        "plot": drawn,
        "recording": path,
        "run": run.path,
    }


def _fit(recording: Recording) -> HmmFit | None:
    """Fits a hidden Markov model; None, with a word and exit code 2, if that is not possible: the rest is still worth having."""
    try:
        with bar("fitting a hidden Markov model") as progress:
            return fit_hmm(recording, progress=lambda iteration: progress.update(iteration, None, "iterations"))
    except FitError as error:
        say(f"there is no fit: {error}")
        exit_with(EXIT_USAGE)
        return None


def unit_of(source: Source) -> str:
    """Of the recording's samples."""
    return "codes" if source.recording.codes else "V"


def _store(source: Source, path: Path, save: Path | None) -> Path:
    """Writes the recording before anything is drawn, to the run and where it was asked for. Returns where it is.

    Raises:
        RecordingError: it could be written nowhere, or not where it was asked for.
    """
    problems: dict[Path, str] = {}
    places = [path] if save is None else [save, path]
    for place in places:
        try:
            if place.suffix.lower() == ".f32":
                _play(source, place)
            else:
                source.recording.save(place)
        except OSError as error:
            problems[place] = describe(place, error)
    if not problems:
        return path
    if save in problems or len(problems) == len(places):
        kept = f"; {path} has the recording" if path not in problems else ""
        raise RecordingError(next(iter(problems.values())) + kept)
    say(problems[path])
    assert save is not None
    return save


def _play(source: Source, place: Path) -> None:
    """Writes the recording so that a virtual board plays it; a hole is played over.

    Raises:
        RecordingError: it is of codes, and nobody says what one is in mV.
        OSError: it cannot be written.
    """
    if source.millivolts is None:
        raise RecordingError(f"{place} is not written: what a code is in mV is not known; save the recording as .npz")
    offset, scale = source.millivolts
    write_recording(place, [Part((source.recording.values + offset) * scale / 1000)], 1.0)


def _hints(source: Source, summary: Summary) -> list[str]:
    """What the recording says, and where a board is known what its own tests and the ends of its converter's scale say."""
    if source.info is None:
        drift = None if source.whole is None else source.whole.drift(summary.duty, summary.samples)
        return [*summary.hints, *([] if drift is None else [drift])]
    broken = source.health.describe() if source.health is not None and source.health.fault else None
    return board_hints(source.recording.values, 2**source.info.adc_bits - 1, summary, broken)


def _figures(source: Source, summary: Summary) -> dict[str, Any]:
    levels, unit = summary.levels, source.millivolts
    ends = (levels.low, levels.high)
    return {
        "levels": list(ends),
        "levels_mv": None if unit is None else [(level + unit[0]) * unit[1] for level in ends],
        "split_mv": None if unit is None else levels.split * unit[1],
        "observation_noise_mv": None if unit is None else levels.spread * unit[1],
        "deviation": summary.deviation,
        "duty": summary.duty,
        "switches": summary.switches,
        "switching_probability": summary.probability,
        "switching_rate": summary.switching_rate,
        "dwell_low_s": summary.dwell_low,
        "dwell_high_s": summary.dwell_high,
        "correlation_time_s": summary.correlation_time,
        "independent_rate": summary.independent_rate,
        "autocorrelation": _autocorrelation(source),
        "min_entropy": summary.min_entropy,
        "min_entropy_estimates": summary.estimates,
        "periodic": _periodic(summary),
        "shift_register": summary.register,
    }


def _periodic(summary: Summary) -> dict[str, float | None] | None:
    found = summary.periodic
    if found is None:
        return None
    frequency = None if summary.rate is None else summary.rate / found.period
    return {"frequency_hz": frequency, "period_samples": found.period, "share": found.share}


def _autocorrelation(source: Source) -> dict[str, float | None]:
    """By lag; None where no segment is long enough, or nothing varies."""
    values = autocorrelation(source.recording, max(LAGS))
    return {str(lag): None if np.isnan(values[lag]) else float(values[lag]) for lag in LAGS}


def _show(source: Source, summary: Summary) -> None:
    found = _figures(source, summary)
    levels, unit = summary.levels, unit_of(source)
    spread = f"{levels.spread:.3g} {unit}"
    rows = [("levels", f"{levels.low:.4g} and {levels.high:.4g} {unit}, {levels.split:.3g} apart")]
    if found["levels_mv"] is not None:
        low, high = found["levels_mv"]
        rows.append(("", f"{low:.4g} and {high:.4g} mV, {found['split_mv']:.3g} apart"))
        spread += f", {found['observation_noise_mv']:.3g} mV"
    rows.append(("observation noise", spread))
    rows.append(("duty cycle", f"high {summary.duty:.1%} of the time"))
    rows.append(("switching", f"{summary.switches:,} times, {summary.probability:.2%} of the samples"))
    if summary.switching_rate is not None and summary.correlation_time is not None:
        rows.append(("switching rate", f"{summary.switching_rate:,.0f} per second"))
        if summary.dwell_low is not None and summary.dwell_high is not None:
            rows.append(("mean dwell times", f"low {_milliseconds(summary.dwell_low)}, high {_milliseconds(summary.dwell_high)}"))
        rows.append(("correlation time", _milliseconds(summary.correlation_time)))
        rows.append(("independent samples", f"{summary.independent_rate:,.0f} per second"))
    told = [f"{value:.2f} at {lag}" for lag, value in found["autocorrelation"].items() if value is not None]
    rows.append(("autocorrelation", f"{', '.join(told)} samples" if told else "none: all samples are the same"))
    rows.append(("min-entropy", f"estimate {_round_down(summary.min_entropy)} bits per sample"))
    if source.layout is not None:
        rate = "" if summary.rate is None else f", {summary.rate:,.6g} samples per second"
        rows.append(("read as", f"{source.layout}, in {unit_of(source)}{rate}"))
    rows.append(("recorded", f"{summary.samples:,} samples, {summary.segments - 1:,} holes"))
    if source.whole is not None:
        whole = source.whole
        counted = (
            f"{whole.samples:,} samples, {whole.holes:,} holes; high {whole.duty:.1%} of the time, {whole.switches:,} switches"
        )
        rows.append(("the whole file", counted))
        rows.append(("", "all other figures are of its first samples"))
    rows += noise_health.rows(source.health)
    if result_console().encoding.lower().startswith("utf"):
        print_result(sparkline(source.recording, min(result_console().width, 100)))
    print_rows(rows)


def sparkline(recording: Recording, width: int) -> str:
    """The first samples of the longest stretch without a hole, one character each."""
    values = max(recording.segments, key=len)[:width]
    low, span = values.min(), np.ptp(values) or 1.0
    places = np.rint((values - low) / span * (len(HEIGHTS) - 1)).astype(int)
    return "".join(HEIGHTS[place] for place in places)


def _round_down(bits: float) -> str:
    return f"{math.floor(100 * bits) / 100:.2f}"


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.3g} ms"
