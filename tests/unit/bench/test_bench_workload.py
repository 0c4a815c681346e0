"""What is measured stays what it is: figures of different versions can be compared only so."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest

from mtjlearn.bench.chip import resident, steps
from mtjlearn.bench.tasks import TASKS, iris_like
from mtjlearn.bench.workload import Workload, workload
from mtjlearn.network import Loss, WeightFormat
from mtjlearn.wire.messages import Task

LOADS = [
    ({"sizes": (2, 3, 1)}, "2-3-1", 0.2 / 4, "363e64068cbed9aa"),
    ({"sizes": (4, 8, 3), "weight_format": WeightFormat.INT32}, "4-8-3 int32", 0.2 / 11, "154add74bf7bc2ab"),
    ({"sizes": (4, 8, 3), "decorrelated": True}, "4-8-3 danp", 0.2 / 11, "154add74bf7bc2ab"),
    ({"sizes": (2, 4, 3), "loss": Loss.CROSS_ENTROPY}, "2-4-3", 0.2 / 7, "8139615ab6ce69ca"),
]


@pytest.mark.parametrize(("options", "name", "rate", "digest"), LOADS, ids=[load[1] for load in LOADS])
def test_networks_samples_and_codes(options: dict[str, Any], name: str, rate: float, digest: str) -> None:
    load = workload(**options)
    network = load.network
    assert (load.name, network.seed) == (name, 1)
    assert network.learning_rate == pytest.approx(rate)
    decorrelated = options.get("decorrelated", False)
    assert network.decorrelate == (decorrelated,) * 2
    assert network.decorrelation_rate == (2**-10 if decorrelated else 0)
    assert network.loss is options.get("loss", Loss.SQUARED)
    assert network.weight_format is options.get("weight_format", WeightFormat.INT16)
    x, targets = load.samples()
    codes = load.codes(1000)
    assert x.shape == (256, network.sizes[0])
    assert targets.shape == (256, 1 if network.loss is Loss.CROSS_ENTROPY else network.sizes[-1])
    assert (x.dtype, targets.dtype, codes.dtype) == (np.int16, np.int16, np.uint16)
    assert hashlib.sha256(x.tobytes() + targets.tobytes() + codes.tobytes()).hexdigest()[:16] == digest


def test_another_seed_has_other_samples_of_another_teacher_and_other_codes() -> None:
    one, two = (Workload(workload((2, 3, 1)).network, seed) for seed in (1, 2))
    for first, second in zip((*one.samples(50), one.codes(50)), (*two.samples(50), two.codes(50)), strict=True):
        assert not np.array_equal(first, second)
    assert np.abs(one.samples()[0]).max() <= 4096


def test_steps_are_counted_of_networks_of_all_sizes_and_kinds() -> None:
    assert [load.name for load in steps.workloads()] == [
        *("2-2-2-1", "2-3-1", "2-4-1", "4-8-3", "16-16-10", "64-32-10"),
        *("2-3-1 int32", "4-8-3 int32", "2-3-1 danp", "4-8-3 danp"),
    ]


def test_tasks_that_are_learned_autonomously() -> None:
    assert [(learning.name, learning.load.name) for learning in TASKS] == [
        ("teacher", "2-2-2-1"),
        ("xor", "2-3-1"),
        ("dataset", "4-8-3"),
    ]
    for learning in TASKS:
        schedule = learning.schedule
        assert (schedule.task, schedule.checkpoint_interval) == (learning.task, 0)
        assert schedule.epoch_steps == (100 if learning.task is Task.TEACHER else 0)
        assert schedule.steps == schedule.epochs == 0


def test_the_dataset_has_one_class_for_each_sample() -> None:
    load = TASKS[2].load
    x, targets = iris_like(load)
    assert (x.shape, targets.shape) == ((100, 4), (100, 3))
    assert set(targets.ravel().tolist()) == {0, 4096}
    assert targets.sum(axis=1).tolist() == [4096] * 100
    np.testing.assert_array_equal(targets.argmax(axis=1), load.samples(100)[1].argmax(axis=1))


def test_samples_in_the_chips_memory_are_a_teachers() -> None:
    network, x, targets = resident.resident_task(3)
    assert (network.name, network.seed, network.learning_rate) == ("2-2-2-1", 4, pytest.approx(0.2 / 5))
    assert (x.shape, targets.shape) == ((64, 2), (64, 1))
    assert not np.array_equal(x, resident.resident_task(4)[1])
    assert resident.STEPS == 64 * 210
    assert resident.mean_loss(3 << 29) == 1.5
