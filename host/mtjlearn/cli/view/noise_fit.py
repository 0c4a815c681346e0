"""Shows a hidden Markov model that was fitted to a recording."""

from __future__ import annotations

from typing import Any

from mtjlearn.noise import HmmFit


def rows(fit: HmmFit, millivolts: tuple[float, float] | None, codes: bool) -> list[tuple[str, str]]:
    """Lines of the table.

    Args:
        fit: the model.
        millivolts: offset and scale of the recording's unit in mV; None: not known.
        codes: the recording is of codes, not of volts.
    """
    found, unit = figures(fit, millivolts), "codes" if codes else "V"
    state = f"{f', {fit.ignored:,} spikes ignored' if fit.ignored else ''}{'' if fit.converged else ', not converged'}"
    lines = [
        ("hidden Markov model", f"{fit.samples:,} samples, {fit.iterations} iterations{state}"),
        ("  levels", f"{fit.low:.5g} and {fit.high:.5g} {unit}"),
        ("  observation noise", f"{fit.sigma:.4g} {unit}"),
        ("  switching", f"up {fit.up:.3%}, down {fit.down:.3%} of the samples in the state that it leaves"),
    ]
    if found["levels_mv"] is not None:
        low, high = found["levels_mv"]
        lines.append(("  in mV", f"{low:.4g} and {high:.4g}, noise {found['sigma_mv']:.3g}"))
    return lines


def figures(fit: HmmFit, millivolts: tuple[float, float] | None) -> dict[str, Any]:
    """As ``--json`` prints it; the arguments are those of :func:`rows`."""
    levels = [fit.low, fit.high]
    return {
        "p_up": fit.up,
        "p_down": fit.down,
        "p": fit.probability,
        "p_error": fit.error,
        "duty": fit.duty,
        "levels": levels,
        "sigma": fit.sigma,
        "levels_mv": None if millivolts is None else [(level + millivolts[0]) * millivolts[1] for level in levels],
        "sigma_mv": None if millivolts is None else fit.sigma * millivolts[1],
        "samples": fit.samples,
        "ignored": fit.ignored,
        "iterations": fit.iterations,
        "converged": fit.converged,
        "log_likelihood": fit.log_likelihood,
    }
