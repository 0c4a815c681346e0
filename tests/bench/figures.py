"""The project's last figures: kept in figures.json, shown in docs/benchmarks.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mtjlearn.bench.phases import PHASES

FIGURES = Path(__file__).resolve().parent / "figures.json"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
SLOWER = 1.03
"""A step may cost this many times the figure kept."""

_BEGIN, _END = "<!-- figures: written by tests/bench/renew.py -->", "<!-- end of figures -->"

Report = dict[str, Any]


def load() -> dict[str, Report]:
    """Reports of simulated chips by board."""
    found: dict[str, Report] = json.loads(FIGURES.read_text(encoding="utf-8"))
    return found


def save(reports: dict[str, Report]) -> None:
    """Keeps the reports and shows them."""
    FIGURES.write_text(json.dumps(reports, indent=1) + "\n", encoding="utf-8")
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(page.replace(shown(page), render(reports)), encoding="utf-8")


def shown(page: str) -> str:
    """The part of the page that the figures fill."""
    return page.partition(_BEGIN)[2].partition(_END)[0]


def slower(report: Report, kept: Report) -> list[str]:
    """Networks whose median step costs more than 3 % more than it did, or is not measured any more."""
    found = []
    for group in ("nets", "variants"):
        for net, before in kept[group].items():
            now = report[group].get(net)
            if before is None:
                continue
            if now is None:
                found.append(f"{net} does not fit any more")
            elif now["step"] > SLOWER * before["step"]:
                found.append(f"{net}: a step takes {now['step']:,.0f} {report['unit']}, it took {before['step']:,.0f}")
    return found


def render(reports: dict[str, Report]) -> str:
    """Markdown of all reports."""
    return "\n\n" + "\n\n".join(_board(report) for report in reports.values()) + "\n\n"


def _board(report: Report) -> str:
    lines = [f"### {report['board']}: {report['unit']} of a training step, {report['compiler']}", ""]
    heads = ["network", *PHASES, "most", "limit", "of it"]
    lines += [f"| {' | '.join(heads)} |", f"|---|{'--:|' * (len(heads) - 1)}"]
    for net, figures in (report["nets"] | report["variants"]).items():
        if figures is not None:
            ratio = "" if figures["ratio"] is None else f"{figures['ratio']:.2f}"
            cells = [*(figures[phase] for phase in PHASES), figures["max"], figures["limit"]]
            lines.append(f"| {net} | {' | '.join('' if cell is None else f'{cell:,.0f}' for cell in cells)} | {ratio} |")
    lines += ["", *(f"* {net} is not measured: {reason}" for net, reason in report["left_out"].items())]
    interrupts = [f"{name} {one['mean']:.0f}" for name, one in report["interrupts"].items() if one["calls"]]
    lines.append(f"* Interrupts, which are in none of these: {', '.join(interrupts)} {report['unit']} each.")
    lines.append(
        f"* Flash {report['flash_bytes']:,} bytes, static RAM {report['ram_bytes']:,}; deepest stack {report['stack_bytes']:,}, "
        f"never touched {report['untouched_bytes']:,}."
    )
    for part in _PARTS:
        if report.get(part):
            lines.append(_PARTS[part](report[part]))
    return "\n".join(lines)


def _stream(found: Report) -> str:
    lost = found["rx_overruns"]
    return (
        f"* {found['net']} streamed at the line's rate, {found['frames']:,} frames: {found['samples_per_s']:,.0f} samples/s, "
        f"{found['share']:.0%} of the lesser of line ({found['line_limit']:,.0f}) and learner ({found['learner_limit']:,.0f}); "
        f"bytes lost: {lost['firmware'] + lost['uart']}."
    )


def _alone(found: Report) -> str:
    lines = [
        "* Autonomous learning, by the chip's clock (share: of what the step alone would allow next to converter and noise tests):",
        "",
        "| network | task | steps/s | share | streamed, samples/s | codes per step |",
        "|---|---|--:|--:|--:|--:|",
    ]
    for net, one in found.items():
        rates = f"{one['steps_per_s']:,.0f} | {one['share']:.0%} | {one['streamed_per_s']:,.0f}"
        lines.append(f"| {net} | {one['task']} | {rates} | {one['codes_a_step']:.1f} |")
    return "\n".join([*lines, ""])


def _resident(found: Report) -> str:
    chip, process = found["on_chip"], found["in_process"]
    return (
        f"* {found['net']} with {found['samples']} samples in memory and the junction sampled at 9,615 Hz: "
        f"{found['steps_per_s']:,.0f} steps/s, codes lost: {found['codes_lost']}; final loss over that from Gaussian noise "
        f"{chip['ratio']:.2f} ({_interval(chip)}, {chip['pairs']} pairs) on the chip, "
        f"{process['ratio']:.2f} ({_interval(process)}, {process['pairs']:,} pairs) by the same arithmetic on a desktop. "
        f"The paper's rig, at one call for noise per step: at most {found['paper_steps_per_s']:,} steps/s."
    )


def _interval(found: Report) -> str:
    low, high = found["ci95"]
    return f"{low:.2f} to {high:.2f}"


def _streamed_only(found: Report) -> str:
    return (
        f"* The image that learns from a host's stream alone, `uno_streamed`: flash {found['flash_bytes']:,} bytes, static RAM "
        f"{found['ram_bytes']:,}."
    )


_PARTS = {"streamed_only": _streamed_only, "stream": _stream, "resident": _resident, "alone": _alone}
