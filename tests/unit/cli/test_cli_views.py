"""What commands print of figures that are given here: each number in its unit, under its heading, and what is left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from views_support import Told

from mtjlearn.bench.chip.cost import PROGRAMS
from mtjlearn.bench.phases import PHASES
from mtjlearn.board import CheckpointState, Health, Progress
from mtjlearn.cli import experiment
from mtjlearn.cli.view import autonomous, bench, bench_desktop, bench_host, bench_inference, bench_reference, noise_health
from mtjlearn.cli.view.training import line_rate
from mtjlearn.experiments import cost_to_target, rates
from mtjlearn.wire.messages import Activity, NoiseFault, ResetCause, Restored, StopReason, Task


def test_chips_are_shown_with_their_limits_and_what_is_left_out(told: Told) -> None:
    phases = {name: 1000.0 * place for place, name in enumerate(PHASES, 1)}
    whole = {**phases, "max": 99_000, "limit": 500, "ratio": 2.0}
    report = {
        **{"unit": "cycles", "board": "uno-sim", "steps": 2000, "compiler": "avr-gcc 5.4"},
        "nets": {"2-2-2-1": whole, "4-8-3": None},
        "variants": {"2-2-2-1 danp": {**phases, "max": 7.0, "limit": None, "ratio": None}},
        "left_out": {"4-8-3": "no room"},
        "interrupts": {"adc": {"mean": 81.25, "calls": 3}, "uart": {"mean": 0.0, "calls": 0}},
        **{"flash_bytes": 20_000, "ram_bytes": 1200, "stack_bytes": 300, "untouched_bytes": 400},
    }
    bench.tell_chip(report)
    cells = [f"{value:,.0f}" for value in phases.values()]
    assert told() == [
        ["cycles of a training step on uno-sim, median of 2,000 steps; avr-gcc 5.4"],
        [*PHASES, "most", "limit", "of it"],
        ["2-2-2-1", *cells, "99,000", "500", "2.00"],
        ["2-2-2-1 danp", *cells, "7"],
        ["4-8-3 not measured: no room"],
        ["interrupts, not in these figures: adc 81.2"],
        ["flash 20,000 bytes, static RAM 1,200, deepest stack 300, never touched 400"],
    ]
    bench.tell_chip({**report, "interrupts": {}})
    assert ["interrupts, not in these figures: none"] in told()


def test_streams_and_learning_alone_are_shown_in_steps_per_second(told: Told) -> None:
    stream = {"net": "4-8-3", "samples_per_s": 1097.4, "share": 0.957, "line_limit": 1200.0, "learner_limit": 1146.6}
    bench.tell_stream({**stream, "frames": 1500, "rx_overruns": {"firmware": 1, "uart": 2}})
    bench.tell_uno_autonomous(
        {"2-2-2-1": {"task": "teacher", "steps_per_s": 2300.0, "share": 0.5, "streamed_per_s": 1500.0, "codes_a_step": 4.16}}
    )
    clocks = {
        "real_time": {"steps_per_s": 9600.0, "streamed_per_s": 9500.0},
        "virtual_clock": {"steps_per_s": 7e5, "streamed_per_s": 6e5},
    }
    bench.tell_native_autonomous({"2-2-2-1": {"task": "xor", **clocks}})
    one = {"ratio": 1.024, "ci95": [0.9, 1.15], "pairs": 40}
    resident = {"net": "2-3-1", "samples": 44, "steps_per_s": 3257.4, "codes_per_s": 9615.0, "codes_lost": 0}
    bench.tell_resident({**resident, "paper_steps_per_s": 1000, "on_chip": one, "in_process": {**one, "ratio": 0.9}})
    assert told() == [
        ["4-8-3 streamed at the line's rate: 1,097 samples/s, 95.7% of the lesser limit (line 1,200, learner 1,147)"],
        ["1,500 frames; lost bytes: 1 in the firmware's ring, 2 in the UART"],
        ["autonomous learning, by the chip's clock"],
        ["task", "steps/s", "of the step alone", "streamed/s", "codes per step"],
        ["2-2-2-1", "teacher", "2,300", "50.0%", "1,500", "4.2"],
        ["steps per second, autonomous and streamed; in real time an autonomous step waits for a fresh noise code"],
        ["task", "real time", "streamed", "virtual clock", "streamed"],
        ["2-2-2-1", "xor", "9,600", "9,500", "700,000", "600,000"],
        [
            "2-3-1 with 44 samples in memory: 3,257 steps/s while the converter gives 9,615 codes/s (0 lost); "
            "with one call for noise per millisecond: 1,000"
        ],
        ["final loss, sMTJ over Gaussian noise, on the chip: 1.02 (0.90 to 1.15, 40 pairs)"],
        ["final loss, sMTJ over Gaussian noise, the same in this process: 0.90 (0.90 to 1.15, 40 pairs)"],
    ]


@pytest.mark.parametrize("torch", [True, False])
def test_the_reference_is_shown_next_to_torch_where_it_is_installed(told: Told, torch: bool) -> None:
    seconds = {"numpy float32": {"bp": 1.25, "danp": 12.0}, "torch, plain": {"danp": 6.04}}
    ratios = {"authors_over_numpy": 1.5, "numpy_over_plain_torch": 2.0} if torch else None
    about = {"network": "784-10", "samples": 60_000, "batch": 64, "rounds": 3}
    bench_reference.tell_reference(
        {**about, "cpu_s_per_epoch": seconds, "danp_ratios": ratios, "memory_mib": {"float32": 96.4, "float64": 192.0}}
    )
    head, *table, said, memory = told()
    assert head == ["CPU seconds of an epoch: 784-10, 60,000 samples, batches of 64, Adam, one thread; the fastest of 3 rounds"]
    assert table == [["bp", "danp"], ["numpy float32", "1.2", "12.0"], ["torch, plain", "6.0"]]
    assert ("1.50 times" in said[0] and "2.00 times" in said[0]) if torch else "pip install 'mtjlearn[torch]'" in said[0]
    assert memory == ["memory of DANP, without the data: 96 MiB in float32, 192 in float64"]


@pytest.mark.parametrize("emlearn", ["0.21", None])
def test_predictions_of_an_uno_are_shown_in_milliseconds(told: Told, emlearn: str | None) -> None:
    fits = {"flash": 1500, "ram": 90, "fits": True, "cycles": {"median": 8000.0, "most": 9000}, "same": 29}
    programs = {"exported": fits, "floats": {"flash": 40_000, "ram": None, "fits": False}}
    bench_inference.tell_inference(
        {"network": "4-8-3", "rows": 30, "compiler": "avr-gcc", "programs": programs, "emlearn": emlearn}
    )
    head, *table, said = told()
    assert head == ["a prediction of 4-8-3 on an Uno, 30 rows; avr-gcc"]
    assert table == [
        ["flash", "static RAM", "cycles", "most", "ms", "same class"],
        ["exported", "1,500", "90", "8,000", "9,000", "0.50", "29 of 30"],  # 16 MHz
        ["floats", "40,000", "does not fit"],
    ]
    assert said[0].startswith("emlearn 0.21: float" if emlearn else "emlearn is not installed")


def test_the_host_and_micropython_are_shown(told: Told) -> None:
    cost = {"cpu_s": 3.14, "wall_s": 3.5, "memory_mib": 210.6}
    slow = {"compiled": None, "numpy": 500.0}
    reference = {"2-2-2-1": {"compiled": 2e6, "numpy": 900.4}, "4-8-3": slow}
    bench_host.tell_host({"rows": 100_000, "train": cost, "validate": {**cost, "cpu_s": 9.96}, "reference": reference})
    speeds = {how: {"steps_per_s": rate} for how, rate in (("viper", 5000.0), ("bytecode", 400.0), ("c", 1e6))}
    bench_desktop.tell_micropython(
        {"2-2-2-1": {**speeds, "ratio": 0.005, "module_bytes": 12_000, "learner_bytes": 1500}}, {"learner": 4000, "noise": 500}
    )
    assert told() == [
        ["train, 100,000 rows, one epoch: 3.1 CPU s (3.5 s), 211 MiB"],
        ["validate: 10.0 CPU s (3.5 s), 211 MiB"],
        ["reference 2-2-2-1, steps per CPU second: 2,000,000 compiled, 900 in NumPy"],
        ["reference 4-8-3, steps per CPU second: not built compiled, 500 in NumPy"],
        ["training steps per second of the learner in MicroPython, and in C in this process"],
        ["viper", "bytecode", "C", "viper of C", "heap: modules", "learner"],
        ["2-2-2-1", "5,000", "400", "1,000,000", "0.5%", "12,000", "1,500"],
        ["compiled for a Pico, bytes: learner 4,000, noise 500; together 4,500"],
    ]


def test_costs_and_rates_are_shown(told: Told) -> None:
    task = next(task for task in cost_to_target.TASKS if task.network.cross_entropy)
    squared = next(task for task in cost_to_target.TASKS if not task.network.cross_entropy)
    program = PROGRAMS[0]
    steps = np.array([100.0, 200.0, 300.0, np.inf])
    costs = [
        cost_to_target.Cost(task, program, 0.25, 400.0, steps, {"uno-sim": 5000.0, "m4-sim": 700.0}),
        cost_to_target.Cost(squared, program, 0.125, 400.0, steps, {"m4-sim": 700.0}),
    ]
    experiment._show_costs(costs)
    expected = (100 + 200 + 300 + 400) / 3
    same = ("250", "75.0%", f"{expected:,.0f}")
    chips = ("700", f"{expected * 0.7:,.0f} k")
    assert told() == [
        ["task", "loss", "rule", "eta", "steps", "learn", "expected", "uno-sim step", "total", "m4-sim step", "total"],
        [task.name, "cross-entropy", program.name, "0.25", *same, "5,000", f"{expected * 5:,.0f} k", *chips],
        [squared.name, "squared", program.name, "0.125", *same, *chips],
        ["steps: median of all starts; expected: with restarts; uno-sim: cycles; m4-sim: instructions"],
    ]
    assert experiment._cost_figures(costs[1]) == {
        "task": squared.name,
        "network": "-".join(map(str, squared.network.sizes)),
        "loss": "squared",
        "rule": program.name,
        "rate": 0.125,
        "patience": 400.0,
        "median_steps": 250.0,
        "learned": 0.75,
        "expected_steps": expected,
        "step": {"m4-sim": 700.0},
        "total": {"m4-sim": expected * 700},
    }
    runs = (rates.Trained(1000.0, 0.012, 1.0, 0.5), rates.Trained(np.inf, 0.014, 0.5, 0.25))
    experiment._show_rates([rates.Rates(rates.TASKS[0], "2-2-2-1", 0.2, True, runs[:1] * 2 + runs[1:])])
    assert told()[4:] == [
        ["data", "net", "eta N", "steps", "reached", "loss", "test score", "saturations"],
        [rates.TASKS[0].data, "2-2-2-1", "0.2", "1,000", "2/3", "0.012", "0.833", "0.50"],
        ["bold: the default; test score: accuracy or explained variance; saturations: values at a limit per step"],
    ]


LIMITS = {"window": 1024, "ones_min": 100, "ones_max": 900, "switches_min": 50, "repetitions": 1200}


def health(**changed: Any) -> Health:
    seen = {"fault": NoiseFault.NONE, "last_fault": NoiseFault.NONE, "faults": 0, "fault_code": 0, "seen": (30, 50)}
    counted = {"levels": (33, 44), "run": 3, "ones": 500, "switches": 1200, "windows": 4000, "limits": LIMITS}
    return Health(**{**seen, **counted, **changed})


@pytest.mark.parametrize(
    ("changed", "lines"),
    [
        ({}, ["calibrated levels 33 and 44 codes", "last of 4,000 windows: 500 codes high, 1,200 switches"]),
        ({"windows": 0}, ["calibrated levels 33 and 44 codes"]),
        ({"levels": None}, ["not calibrated yet: they begin with the first training"]),
    ],
)
def test_what_the_board_s_own_tests_saw(changed: dict[str, Any], lines: list[str]) -> None:
    found = health(**changed)
    assert list(noise_health.rows(found)) == [
        ("the board's own tests", found.describe()),
        *(("", line) for line in lines),
        *[
            (
                "",
                "limits: fewer than 1,200 codes of one state in a row, in 1,024 codes 100 to 900 high and 50 switches or more",
            )
        ],
    ]
    assert list(noise_health.rows(None)) == []
    assert list(noise_health.rows(health(limits={**LIMITS, "window": 0})))[-1] == ("", "limits: none, the tests are off")


def progress(**changed: Any) -> Progress:
    does = {"activity": Activity.LEARNING, "task": Task.DATASET, "stop_reason": StopReason.NONE}
    place = {"epoch": 12, "position": 7, "epoch_steps": 120, "steps": 1447, "learning_rate": 0.125, "epoch_loss": 0.25}
    evaluated = {"evaluated": 8, "evaluation_loss": 0.125, "correct": 114}
    rule = {"stop_steps": 0, "stop_epochs": 100, "loss_target": 0.0, "halve_every": 5000, "evaluate_every": 4}
    memory = {"checkpoint_interval": 1800, "samples": 120, "room": 4000, "sample_bytes": 5}
    return Progress(**{**does, **place, **evaluated, **rule, **memory, **changed})


def status(**changed: Any) -> dict[str, Any]:
    checkpoint = CheckpointState(1234, 300, 0, 4096, 1, False, Restored.NEWEST, 77, 1800)
    found = {
        **{"board": "uno", "url": "/dev/ttyACM0", "restored": Restored.NEWEST, "last_error": "", "boot_count": 3},
        **{"reset_cause": ResetCause.POWER_ON, "configured": True, "trained": {"steps": 12_345}, "net": "4-8-3"},
        **{"progress": progress(), "curve": {"interval": 1200, "losses": [1.0, 0.5, 0.25]}, "health": health()},
        "checkpoint": checkpoint,
    }
    return {**found, **changed}


def test_a_board_that_learns_alone_is_shown_with_all_that_it_reports(told: Told) -> None:
    autonomous.show(status())
    assert told() == [
        ["board", "uno at /dev/ttyACM0"],
        ["start", "number 3 (power on); restored from its newest checkpoint"],
        ["activity", "learns autonomously"],
        ["network", "4-8-3; 12,345 steps in all"],
        ["task", "dataset; stops after 100 epochs"],
        ["done", "1,447 steps, 12 + 7 of 120 epochs; eta 0.125, halved every 5,000 steps"],
        ["loss", "0.2500 in the last whole epoch, with noise"],
        ["evaluation", f"after 8 epochs: loss 0.1250, {114 / 120:.1%} correct, without noise"],
        ["dataset", "120 samples in its memory"],
        ["loss curve", "█▅▁", "1.0000 to 0.2500, a point is 1,200 steps"],
        ["noise source", health().describe()],
        ["checkpoints", "1,234 saved, the last start or save 77 s ago"],
        ["every 30 minutes; the EEPROM (100,000 cycles, two slots in turn) lasts 11.4 years of that"],
    ]


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"last_error": "noise fault"}, ["last error before it: noise fault"]),
        (
            {"net": None, "net_unknown": "a rule of another firmware"},
            ["network", "a rule of another firmware; 12,345 steps in all"],
        ),
        ({"checkpoint": None}, ["checkpoints", "none: the board has no nonvolatile memory"]),
        (
            {"checkpoint": CheckpointState(0, 300, 44, 4096, 1, False, Restored.NOTHING, 7, 0)},
            ["checkpoints", "none: 44 bytes of memory are missing for two of this network"],
        ),
        (
            {"checkpoint": CheckpointState(0, 300, 0, 4096, 1, False, Restored.NOTHING, 7, 0)},
            ["checkpoints", "none saved yet; its memory has 4,096 bytes"],
        ),
        (
            {"progress": progress(activity=Activity.EVALUATING)},
            ["done", "1,447 steps, 12 epochs; eta 0.125, halved every 5,000 steps"],
        ),
        ({"progress": progress(activity=Activity.EVALUATING)}, ["activity", "learns autonomously, evaluating now"]),
        ({"progress": progress(activity=Activity.IDLE)}, ["activity", "does not learn autonomously"]),
        (
            {"progress": progress(activity=Activity.FINISHED, stop_reason=StopReason.LOSS)},
            ["activity", "stopped: the loss asked for is reached"],
        ),
        ({"progress": progress(halve_every=0)}, ["done", "1,447 steps, 12 + 7 of 120 epochs; eta 0.125"]),
        (
            {"progress": progress(stop_steps=9000, loss_target=0.01)},
            ["task", "dataset; stops after 9,000 steps or after 100 epochs or at a mean loss of 0.01"],
        ),
        ({"progress": progress(stop_epochs=0)}, ["task", "dataset; never stops"]),
    ],
)
def test_what_differs_is_said(told: Told, changed: dict[str, Any], line: list[str]) -> None:
    autonomous.show(status(**changed))
    assert line in told()


def test_what_is_not_there_has_no_line(told: Told) -> None:
    nothing = progress(task=Task.NONE, samples=0, epoch_loss=None, evaluation_loss=None)
    autonomous.show(status(configured=False, net=None, curve=None, progress=nothing))
    assert [line[0] for line in told()][:-1] == ["board", "start", "activity", "noise source", "checkpoints"]
    autonomous.show(status(progress=progress(epoch_loss=None, evaluation_loss=None), curve={"interval": 1, "losses": []}))
    assert not {"loss", "evaluation", "loss curve"} & {line[0] for line in told()}


def test_rates_of_a_simulated_chip_are_this_computer_s() -> None:
    assert line_rate("native", 12_345.6) == "12,346 samples/s over the line"
    for board in ("uno-sim", "m4-sim", "m0-sim"):
        assert line_rate(board, 50.0).startswith("50 samples/s of the simulator, limited by this computer; mtjlearn bench")
