"""Datasets in the device's numbers."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from mtjlearn.datasets import (
    Dataset,
    DatasetError,
    Scaling,
    default_network_sizes,
    dequantise,
    load,
    predicted_classes,
    quantise,
)
from mtjlearn.network import Loss, Network

LIMIT = 32767 / 4096


def regression(x: np.ndarray, y: np.ndarray) -> Dataset:
    rows = np.arange(len(x))
    nothing = Scaling(np.zeros(x.shape[1]), np.ones(x.shape[1]))
    names = tuple(f"x{index}" for index in range(x.shape[1]))
    return Dataset("d", "regression", x, x[:1], y, y[:1], rows, rows[:1], names, ("y",), None, nothing, nothing, (), seed=0)


@given(npst.arrays(np.float64, (5, 2), elements=st.floats(-20, 20)))
@settings(deadline=None)
def test_quantising_rounds_to_nearest_and_limits(values):
    quantised = quantise(regression(values, values[:, :1]), Network((2, 1)))
    assert quantised.x_train.dtype == np.int16
    assert np.all(np.abs(quantised.x_train.astype(int)) <= 32767)
    limited = np.clip(values, -LIMIT, LIMIT)
    assert np.abs(dequantise(quantised.x_train) - limited).max() <= 2**-13
    beyond = np.abs(np.concatenate([values, values[:1]])) >= LIMIT + 2**-13
    assert quantised.inputs.clipped == np.count_nonzero(beyond)
    assert quantised.inputs.worst == np.abs(values).max()


@given(npst.arrays(np.int16, (6, 1), elements=st.integers(-32767, 32767)))
@settings(deadline=None)
def test_the_devices_numbers_survive_the_round_trip(fixed):
    values = dequantise(fixed)
    np.testing.assert_array_equal(quantise(regression(values, values), Network((1, 1))).t_train, fixed)


def test_clipping_is_reported_with_the_worst_value_and_its_column():
    x = np.array([[0.0, 1.0], [-9.5, 8.1], [7.9, 0.0]])
    report = quantise(regression(x, x[:, :1]), Network((2, 1))).inputs
    assert (report.clipped, report.values, report.worst, report.column) == (2, 8, 9.5, "x0")
    assert str(report) == "2 of 8 values (25.00%) clipped to +-8; the largest magnitude is 9.5, in x0"


def test_infinite_deviations_are_clipped():
    x = np.array([[np.inf], [0.0]])
    assert quantise(regression(x, np.zeros((2, 1))), Network((1, 1))).x_train.tolist() == [[32767], [0]]


def test_classes_become_one_hot_signs_or_numbers():
    iris = load("iris", seed=0)
    one_hot = quantise(iris, Network((4, 8, 3)))
    np.testing.assert_array_equal(one_hot.t_train, np.eye(3)[iris.y_train] * 4096)
    numbers = quantise(iris, Network((4, 8, 3), loss=Loss.CROSS_ENTROPY))
    np.testing.assert_array_equal(numbers.t_test, iris.y_test[:, None])
    assert numbers.t_test.dtype == np.int16
    cancer = load("breast-cancer", seed=0)
    signs = quantise(cancer, Network((30, 8, 1)))
    np.testing.assert_array_equal(signs.t_train[:, 0], np.where(cancer.y_train == 1, 4096, -4096))
    assert quantise(cancer, Network((30, 8, 2))).t_train.shape == (455, 2)
    assert default_network_sizes(cancer, Loss.CROSS_ENTROPY) == (30, 8, 2)


@pytest.mark.parametrize("outputs", [1, 2])
def test_predicted_classes_undo_the_encoding(outputs):
    dataset = load("breast-cancer", seed=0)
    quantised = quantise(dataset, Network((30, 8, outputs)))
    np.testing.assert_array_equal(predicted_classes(quantised.t_test), dataset.y_test)


def test_ties_and_zero_are_decided_as_on_the_device():
    assert predicted_classes(np.array([[1, 1, 0], [0, 2, 2]])).tolist() == [0, 1]
    assert predicted_classes(np.array([[0], [-1]])).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("name", "network", "hint"),
    [
        ("iris", Network((4, 8, 2)), "iris has 4 inputs and 3 classes, which 4-8-2 does not fit; use --net 4-8-3"),
        ("iris", Network((5, 6, 3)), "use --net 4-6-3"),
        ("iris", Network((4, 8, 1)), "use --net 4-8-3"),
        ("breast-cancer", Network((30, 8, 3)), "use --net 30-8-1"),
        ("breast-cancer", Network((30, 8, 3), loss=Loss.CROSS_ENTROPY), "use --net 30-8-2"),
        ("breast-cancer", Network((9, 2)), "use --net 30-2"),
        ("teacher", Network((2, 2, 2)), r"1 target\(s\), which 2-2-2 does not fit; use --net 2-2-1"),
        ("teacher", Network((2, 2), loss=Loss.CROSS_ENTROPY), "use the squared loss"),
    ],
)
def test_a_network_that_does_not_fit_is_refused_with_one_that_does(name, network, hint):
    with pytest.raises(DatasetError, match=hint):
        quantise(load(name, seed=0), network)


def test_both_parts_count_in_the_report():
    dataset = load("iris", seed=0)
    wild = dataclasses.replace(dataset, x_test=dataset.x_test + 100)
    report = quantise(wild, Network((4, 8, 3))).inputs
    assert report.clipped == dataset.x_test.size
