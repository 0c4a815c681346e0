"""Figure 2: a junction's noise at three biases: in time, its levels, its autocorrelation.

Simulated: the barrier model tilts the barriers of one junction, whose rate at the balance is that of appendix A, to three duties.
Or recordings from files, one for each bias; or one from a board, whose bias is the one it has.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjlearn.discovery import open_board
from mtjlearn.noise import BarrierModel, Junction, Recording, RecordingError, autocorrelation, characterise, load_recording
from mtjlearn.noise.smtj import RECORDED_LEVELS, RECORDED_RATE, RECORDED_SWITCHING_PROBABILITY, switching_rate, telegraph
from mtjlearn.reproduction.boards import is_virtual
from mtjlearn.reproduction.options import Options
from mtjlearn.reproduction.pieces import Piece

DUTIES = (0.2, 0.5, 0.8)
CRITICAL = 20.0
"""Field at which a barrier is gone, mT; the paper gives none."""
BIASES = 3
SECONDS, FULL_SECONDS = 20, 2500
"""Length of a simulated series; the paper's is the longer one."""
MILLISECONDS = 2.0
"""Lags that are shown."""

_PART = 20
"""Seconds of a series that are one piece."""
_LAGS = 60
"""Lags that are shown of a recording of unknown rate, samples."""
_SHOWN_MS = 12.0
_SHOWN = 600
_BINS = 60
_LOOKED_AT = 400_000
"""Samples from which levels and rates are taken."""
_CODES = 50_000
"""Codes that are recorded from a board."""
_FORGOTTEN = 0.05
"""Autocorrelation under which a signal counts as decorrelated."""


def check(options: Options) -> None:
    """Recordings are there, and not more than biases.

    Raises:
        RecordingError: there are too many, or one cannot be read.
    """
    if len(options.recordings) > BIASES:
        raise RecordingError(f"fig2 shows {BIASES} biases; give at most {BIASES} recordings")
    if options.recordings and options.board:
        raise RecordingError("fig2 shows recordings or a board; omit --board or --recording")
    for path in options.recordings:
        load_recording(Path(path))


def pieces(options: Options) -> list[Piece]:
    """A file, a board's recording, or a part of a simulated series."""
    if options.recordings:
        return [Piece(f"fig2/file/{place}", from_file, {"path": path}) for place, path in enumerate(options.recordings)]
    if options.board:
        return [Piece("fig2/board", from_board, {"board": options.board}, 6.0, not is_virtual(options.board))]
    seconds = FULL_SECONDS if options.full else SECONDS
    parts = math.ceil(seconds / _PART)
    return [
        Piece(
            f"fig2/{duty:g}/{part}",
            simulated,
            {"duty": duty, "seconds": min(_PART, seconds), "seed": [options.seed, place, part]},
            1.5,
        )
        for place, duty in enumerate(DUTIES)
        for part in range(parts)
    ]


def numbers(options: Options, results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Each bias with what is plotted."""
    if options.recordings or options.board:
        biases = [dict(value) for value in results.values()]
        source = "files" if options.recordings else str(options.board)
    else:
        biases = [_joined([value for key, value in results.items() if key.startswith(f"{duty:g}/")]) for duty in DUTIES]
        source = "simulated"
    for bias in biases:
        forgotten = [lag for lag, value in zip(bias["lags"], bias["autocorrelation"], strict=True) if abs(value or 0) < _FORGOTTEN]
        bias["decorrelated_after"] = forgotten[0] if forgotten else None
    return {"source": source, "biases": biases}


def lines(found: Mapping[str, Any]) -> list[str]:
    """Duty and correlation of each bias."""
    said = []
    for bias in found["biases"]:
        after = bias["decorrelated_after"]
        unit = "ms" if bias["in_time"] else "samples"
        ended = f"decorrelated (under {_FORGOTTEN:g}) after {after:.3g} {unit}" if after is not None else "still correlated"
        said.append(f"{bias['label']}: high {bias['duty']:.0%} of the time, {ended}")
    return said


def simulated(duty: float, seconds: float, seed: list[int]) -> dict[str, Any]:
    """A part of the series at one bias, sampled as the paper's."""
    model = BarrierModel.of_rate(switching_rate(RECORDED_SWITCHING_PROBABILITY, RECORDED_RATE), CRITICAL)
    field = model.drive(duty)
    junction = model.junction(field, *RECORDED_LEVELS)
    values = _volts(junction, round(seconds * RECORDED_RATE), seed)
    return _look(Recording(values, rate=RECORDED_RATE), f"{round(field, 2) + 0.0:+.2f} mT", junction)


def from_file(path: str) -> dict[str, Any]:
    """What a recording shows."""
    return _look(load_recording(Path(path)), Path(path).name)


def from_board(board: str) -> dict[str, Any]:
    """What a board's converter reads."""
    with open_board(board) as opened:
        heard = opened.noise(_CODES)
    starts = tuple(segment.start for segment in heard.segments)
    return _look(Recording(heard.codes.astype(np.float64), starts, heard.rate), board)


def _volts(junction: Junction, samples: int, seed: list[int]) -> NDArray[np.float64]:
    generator = np.random.default_rng(seed)
    state = generator.random(1) < junction.duty
    states = telegraph(generator, state, *junction.probabilities(RECORDED_RATE), samples)[0]
    values = np.where(states, junction.high, junction.low)
    return np.asarray(values + junction.observation * generator.standard_normal(samples))


def _look(recording: Recording, label: str, junction: Junction | None = None) -> dict[str, Any]:
    scale, unit = (1.0, "code") if recording.codes else (1000.0, "mV")
    rate = recording.rate
    longest = max(recording.segments, key=len)
    lags = min(len(longest) - 1, _LAGS if rate is None else max(10, round(MILLISECONDS / 1000 * rate)))
    summary = characterise(Recording(longest[:_LOOKED_AT], rate=rate))
    shown = longest[: _SHOWN if rate is None else min(_SHOWN, max(50, round(_SHOWN_MS / 1000 * rate)))]
    if recording.codes:
        bins = np.arange(recording.values.min() - 0.5, recording.values.max() + 1)
    else:
        bins = np.linspace(*_range(junction, recording), _BINS)
    counts, edges = np.histogram(recording.values, bins)
    rates = None if summary.switching_rate is None else float(summary.switching_rate if junction is None else junction.rate)
    step = 1.0 if rate is None else 1000 / rate
    return {
        "label": label,
        "unit": unit,
        "in_time": rate is not None,
        "samples": int(recording.values.size),
        "duty": float(summary.duty),
        "levels": [summary.levels.low * scale, summary.levels.high * scale],
        "switching_rate": rates,
        "telegraph_share": 1 - (summary.levels.spread / summary.deviation) ** 2 if summary.deviation else None,
        "series": np.round(shown * scale, 3).tolist(),
        "step": step,
        "centres": np.round((edges[1:] + edges[:-1]) / 2 * scale, 4).tolist(),
        "shares": (counts / recording.values.size).tolist(),
        "lags": (np.arange(lags + 1) * step).tolist(),
        "autocorrelation": np.round(autocorrelation(recording, lags), 6).tolist(),
    }


def _range(junction: Junction | None, recording: Recording) -> tuple[float, float]:
    """Ends of the histogram: the same for all parts of a simulated series."""
    if junction is None:
        return float(recording.values.min()), float(recording.values.max())
    return junction.low - 5 * junction.observation, junction.high + 5 * junction.observation


def _joined(parts: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Parts of one series as one: shares, duty and autocorrelation are means."""
    means = {name: np.mean([part[name] for part in parts], axis=0).tolist() for name in ("duty", "shares", "autocorrelation")}
    return {**parts[0], **means, "samples": sum(part["samples"] for part in parts)}
