"""Simulates a recording from the options of ``mtjlearn noise simulate``, and writes it with a bar."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from mtjlearn.cli.view.console import bar, print_rows
from mtjlearn.noise import BarrierModel, Element, Ensemble, ReadOut, SimulatedCircuit, simulated_parts, write_recording
from mtjlearn.noise.files import Part
from mtjlearn.noise.files.write import FORMATS
from mtjlearn.noise.smtj import PRESETS


def simulated(save: Path, seconds: float, rate: float, seed: int, **options: Any) -> dict[str, Any]:
    """Simulates and writes it; the result as --json prints it.

    Raises:
        click.UsageError: options that contradict each other, or values that no junction can have.
        RecordingError, OSError: it cannot be written.
    """
    if save.suffix.lower() not in FORMATS:
        raise click.UsageError(f"--save writes {', '.join(FORMATS)} files; {save} is named otherwise")
    if not save.parent.is_dir():
        raise click.UsageError(f"--save: there is no directory {save.parent}; make it first")
    if strange := next(
        (name for name, value in [("rate", rate), *options.items()] if isinstance(value, float) and math.isnan(value)), None
    ):
        raise click.UsageError(f"--{strange} must be a number")
    bits: int | None = options["bits"]
    if bits is not None and save.suffix.lower() == ".f32":
        raise click.UsageError("a virtual board has its own converter; omit --bits")
    try:
        ensemble, readout, drive = _circuit(**options)
        source = SimulatedCircuit(ensemble, readout, rate, seed=seed)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    samples = max(1, round(seconds * rate))
    with bar(f"simulating {save.name}") as progress:
        written = write_recording(save, _parts(source, samples, bits is not None, progress), rate, "V" if bits is None else "codes")
    levels, shares = ensemble.levels()
    result = {
        "file": save,
        "samples": written,
        "rate": rate,
        "unit": "V" if bits is None else "codes",
        "barrier_kt": drive.kt,
        "duty": ensemble.elements[0].duty,
        "dwell_parallel_s": ensemble.elements[0].dwell_parallel,
        "dwell_antiparallel_s": ensemble.elements[0].dwell_antiparallel,
        "switching_rate": ensemble.rate,
        "levels_mv": (1000 * readout.volts(levels)).tolist(),
        "shares": shares.tolist(),
        "deviation_mv": 1000 * source.deviation,
    }
    shown = ", ".join(f"{1000 * level:.4g}" for level in readout.volts(levels)[:6])
    print_rows(
        [
            ("recording", f"{written:,} samples at {rate:,.6g} per second in {save}"),
            ("barrier", f"{drive.kt:.3g} k_B T at {drive.temperature:g} K"),
            ("duty cycle", f"each junction is high {ensemble.elements[0].duty:.1%} of the time"),
            ("switching", f"{ensemble.rate:,.0f} per second of {len(ensemble.elements)} together"),
            ("levels", f"{levels.size}: {shown}{' ...' if levels.size > 6 else ''} mV"),
        ]
    )
    return result


def _circuit(
    *,
    switching: float | None,
    barrier: float | None,
    temperature: float | None,
    bias: float,
    drive: str,
    junctions: int,
    wiring: str,
    resistances: str,
    supply: float,
    series: float,
    cutoff: float | None,
    observation: float,
    bits: int | None,
    reference: float | None,
) -> tuple[Ensemble, ReadOut, BarrierModel]:
    if barrier is not None and switching is not None:
        raise click.UsageError("--barrier and --switching exclude each other")
    if bits is None and reference is not None:
        raise click.UsageError("--reference goes with --bits")
    exponent = 2.0 if drive == "field" else 1.0
    if barrier is not None:
        model = BarrierModel.of_kt(barrier, 1.0, exponent=exponent)
    else:
        model = BarrierModel.of_rate(PRESETS["bench"].rate if switching is None else switching, 1.0, exponent=exponent)
    if temperature is not None:
        model = model.at(temperature)
    element = Element.of_barrier(model, bias, *_pair(resistances))
    readout = ReadOut(supply=supply, series=series, cutoff=cutoff, observation=observation / 1000)
    if bits is not None:
        readout = replace(readout, bits=bits, reference=readout.reference if reference is None else reference)
    return Ensemble.of_equal(element, junctions, "series" if wiring == "series" else "parallel"), readout, model


def _pair(text: str) -> tuple[float, float]:
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise click.UsageError(f"--resistances are two numbers, such as 3000,6000, not {text!r}") from None
    return low, high


def _parts(source: SimulatedCircuit, samples: int, codes: bool, progress: Any) -> Iterator[Part]:
    done = 0
    for volts in simulated_parts(source, samples):
        done += volts.size
        progress.update(done, samples, "samples")
        yield Part(source.readout.codes(volts).astype(float) if codes else volts, (), done / samples)
