"""Loading, splitting, standardising: built-in datasets and the decisions that files share with them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from mtjlearn.datasets import BUILTIN, DatasetError, Scaling, default_network_sizes, epoch_order, load, quantise
from mtjlearn.datasets.builtin import table
from mtjlearn.network import Loss, Network

SIZES = {
    "teacher": (2, 2, 2, 1),
    "xor": (2, 4, 1),
    "iris": (4, 8, 3),
    "wine": (13, 8, 3),
    "breast-cancer": (30, 8, 1),
    "digits": (64, 32, 10),
}


def write_npz(path, x, y):
    np.savez(path, x=x, y=y)
    return path


@pytest.mark.parametrize("name", BUILTIN)
def test_builtin_datasets_fit_their_default_network(name):
    dataset = load(name, seed=3)
    sizes = default_network_sizes(dataset)
    assert sizes == SIZES[name]
    quantised = quantise(dataset, Network(sizes))
    assert quantised.x_train.shape == dataset.x_train.shape
    assert quantised.inputs.fraction < 0.001
    assert len(dataset.feature_names) == dataset.inputs
    if name != "xor":
        assert not set(dataset.train_rows) & set(dataset.test_rows)
        assert abs(dataset.x_train.mean()) < 1e-9


def test_the_same_seed_gives_the_same_data_and_another_seed_another_split():
    first, again, other = (load("iris", seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.x_train, again.x_train)
    assert set(first.test_rows) != set(other.test_rows)


def test_the_split_does_not_depend_on_the_values(tmp_path):
    generator = np.random.default_rng(0)
    y = np.repeat(["a", "b", "c"], 20)
    one = load(write_npz(tmp_path / "one.npz", generator.normal(size=(60, 3)), y), seed=5)
    two = load(write_npz(tmp_path / "two.npz", generator.normal(size=(60, 7)), y), seed=5)
    np.testing.assert_array_equal(one.train_rows, two.train_rows)
    np.testing.assert_array_equal(one.test_rows, two.test_rows)


def test_the_split_keeps_the_shares_of_classes(tmp_path):
    y = np.array([0] * 80 + [1] * 20)
    dataset = load(write_npz(tmp_path / "d.npz", np.arange(100.0)[:, None], y), seed=0)
    assert np.bincount(dataset.y_test).tolist() == [16, 4]


def test_scaling_is_fitted_on_the_training_part_only(tmp_path):
    generator = np.random.default_rng(1)
    x, y = generator.normal(size=(50, 3)), generator.normal(size=50)
    before = load(write_npz(tmp_path / "a.npz", x, y), seed=4)
    x[before.test_rows] = 1e6
    y[before.test_rows] = -1e6
    after = load(write_npz(tmp_path / "b.npz", x, y), seed=4)
    np.testing.assert_array_equal(before.x_train, after.x_train)
    np.testing.assert_array_equal(before.y_train, after.y_train)
    assert before.target_scaling is not None
    np.testing.assert_array_equal(before.input_scaling.std, after.input_scaling.std)
    np.testing.assert_allclose(before.x_train.std(axis=0), 1)
    np.testing.assert_allclose(before.target_scaling.invert(after.y_test), -1e6)


def test_a_constant_column_counts_as_zero_and_is_named(tmp_path):
    generator = np.random.default_rng(1)
    x = generator.normal(size=(40, 3))
    x[:, 1] = 0.1
    split = load(write_npz(tmp_path / "a.npz", x, x[:, 0]), seed=4)
    x[split.test_rows, 1] = 5.0
    dataset = load(write_npz(tmp_path / "b.npz", x, x[:, 0]), seed=4)
    assert not dataset.x_train[:, 1].any()
    assert not dataset.x_test[:, 1].any()
    assert dataset.notes == ("'x2' is constant in the training part and counted as 0",)


@given(npst.arrays(np.float64, (7, 3), elements=st.floats(-1e100, 1e100, allow_subnormal=False)))
@settings(deadline=None)
def test_scaling_is_finite_and_undone_by_invert(values):
    scaling = Scaling.fit(values)
    scaled = scaling.apply(values)
    assert np.all(np.isfinite(scaled))
    worst = np.abs(values).max(axis=0)
    error = np.abs(scaling.invert(scaled) - values) / np.where(worst > 0, worst, 1)
    assert error.max() < 1e-9


def test_teacher_has_variance_fits_the_range_and_takes_other_sizes():
    for seed in range(20):
        dataset = load("teacher", seed=seed)
        assert dataset.task == "regression"
        assert dataset.x_train.shape == (1000, 2)
        assert dataset.target_scaling is not None
        assert dataset.target_scaling.std[0] > 0.3
        assert quantise(dataset, Network((2, 2, 2, 1))).targets.clipped == 0
    wide = load("teacher", seed=1, teacher_sizes=(5, 4, 3))
    assert default_network_sizes(wide) == (5, 4, 3)
    assert not np.array_equal(load("teacher", seed=1).x_train, load("teacher", seed=2).x_train)


def test_a_teachers_hidden_units_have_the_slope_of_the_devices():
    found = table("teacher", 8, (2, 3, 1))
    generator = np.random.default_rng([8, 0x7EAC])
    values = generator.standard_normal((1250, 2))
    np.testing.assert_array_equal(found.features, values)
    for fan_in, units in ((2, 3), (3, 1)):
        limit = np.sqrt(3 / fan_in)
        weights, biases = generator.uniform(-limit, limit, (fan_in, units)), generator.uniform(-limit, limit, units)
        values = values @ weights + biases
        values = np.array([[value if value > 0 or units == 1 else value / 128 for value in row] for row in values])
    np.testing.assert_allclose(found.targets, values, atol=1e-12)


def test_xor_is_the_whole_truth_table_in_both_parts():
    dataset = load("xor", seed=0)
    assert sorted(map(tuple, dataset.x_test)) == [(-1, -1), (-1, 1), (1, -1), (1, 1)]
    np.testing.assert_array_equal(dataset.y_test, (dataset.x_test[:, 0] != dataset.x_test[:, 1]).astype(int))
    assert np.bincount(dataset.train_rows).tolist() == [25] * 4


@given(st.integers(0, 2**32 - 1), st.integers(0, 10**6), st.integers(1, 300))
@settings(deadline=None)
def test_epoch_order_is_a_permutation_that_repeats(seed, epoch, samples):
    order = epoch_order(seed, epoch, samples)
    assert sorted(order.tolist()) == list(range(samples))
    np.testing.assert_array_equal(order, epoch_order(seed, epoch, samples))


def test_epoch_order_is_fixed_for_ever_and_differs_between_epochs():
    assert epoch_order(7, 0, 8).tolist() == [6, 3, 4, 0, 2, 7, 5, 1]
    assert epoch_order(7, 1, 100).tolist() != epoch_order(7, 0, 100).tolist()
    assert epoch_order(8, 0, 100).tolist() != epoch_order(7, 0, 100).tolist()


@pytest.mark.parametrize(
    ("y", "task", "expected"),
    [
        (np.arange(100) % 3, None, "classification"),
        (np.arange(100) % 3 - 1.0, None, "classification"),
        (np.arange(100) % 2 == 0, None, "classification"),
        (np.arange(100) % 3 + 0.5, None, "regression"),
        (np.arange(100) % 25, None, "regression"),
        (np.arange(100) % 25, "classification", "classification"),
        (np.arange(100) % 3, "regression", "regression"),
        (np.where(np.arange(100) % 2, "yes", "no"), None, "classification"),
        (np.ones((100, 2)) * np.arange(100)[:, None], None, "regression"),
    ],
)
def test_targets_decide_the_task_unless_it_is_given(tmp_path, y, task, expected):
    path = write_npz(tmp_path / "d.npz", np.random.default_rng(0).normal(size=(100, 2)), y)
    dataset = load(path, seed=0, task=task, test_fraction=0.3)
    assert dataset.task == expected
    assert (dataset.classes is None) == (expected == "regression")


def test_cross_entropy_means_classification(tmp_path):
    path = write_npz(tmp_path / "d.npz", np.random.default_rng(0).normal(size=(100, 2)), np.arange(100) % 25)
    assert load(path, seed=0, loss=Loss.CROSS_ENTROPY, test_fraction=0.3).task == "classification"
    with pytest.raises(DatasetError, match="cross-entropy needs classes"):
        load(path, seed=0, loss=Loss.CROSS_ENTROPY, task="regression")


def test_classes_are_sorted_by_value_and_named_as_written(tmp_path):
    y = np.array([10, 9, -1] * 10)
    assert load(write_npz(tmp_path / "n.npz", np.arange(30.0)[:, None], y), seed=0).classes == ("-1", "9", "10")
    names = np.array(["b", "a", "B"] * 10)
    dataset = load(write_npz(tmp_path / "t.npz", np.arange(30.0)[:, None], names), seed=0)
    assert dataset.classes == ("B", "a", "b")
    assert [dataset.classes[label] for label in dataset.y_test] == names[dataset.test_rows].tolist()


@pytest.mark.parametrize(
    ("y", "options", "message"),
    [
        (np.zeros(40), {}, "every row of y is '0'; learning needs two classes"),
        (np.full(40, 2.5), {}, "y is the same in every row"),
        (np.array(["a", "b"] * 4), {}, "has 8 rows; learning needs at least 10"),
        (np.array(["a"] * 39 + ["b"]), {}, "only one row has the class 'b' of y"),
        (np.arange(12) % 4, {"task": "classification"}, "cannot show all 4 classes in both parts"),
        (np.array(["a", "b"] * 20), {"task": "regression"}, "is not a number: 'a'"),
        (np.arange(40.0), {"test_fraction": 0.99}, "none of 40 rows is left"),
        (np.arange(40.0), {"test_fraction": 1.5}, r"test fraction 1\.5"),
        (np.arange(40.0), {"seed": -1}, "seed -1 is outside"),
        (np.arange(80.0).reshape(40, 2), {"task": "classification"}, "classes need a single one"),
    ],
)
def test_data_that_cannot_be_learned_is_refused(tmp_path, y, options, message):
    path = write_npz(tmp_path / "d.npz", np.random.default_rng(0).normal(size=(len(y), 2)), y)
    with pytest.raises(DatasetError, match=message) as error:
        load(path, **{"seed": 0, **options})
    assert "\n" not in str(error.value)


def test_unknown_names_are_refused_with_a_suggestion():
    with pytest.raises(DatasetError, match=r"no file irris .* did you mean iris\? \(built in: teacher, xor, iris"):
        load("irris", seed=0)
    with pytest.raises(DatasetError, match="omit --target"):
        load("iris", seed=0, target="class")
    with pytest.raises(DatasetError, match="a teacher needs"):
        load("teacher", seed=0, teacher_sizes=(2,))


def test_one_scale_for_all_columns_or_none(tmp_path):
    digits = load("digits", seed=1, scale="global")
    assert abs(digits.x_train.mean()) < 1e-12
    assert abs(digits.x_train.std() - 1) < 1e-12
    assert np.unique(digits.input_scaling.std).size == 1
    assert digits.notes == ()
    raw = load("digits", seed=1, scale="none")
    assert raw.x_train.max() == 16
    np.testing.assert_allclose(digits.input_scaling.invert(digits.x_train), raw.x_train, atol=1e-12)
    column = load("digits", seed=1)
    assert column.scale == "column"
    assert len({digits.digest, raw.digest, column.digest}) == 3
    generator = np.random.default_rng(1)
    x = generator.normal(size=(40, 3)) * (1, 10, 100)
    path = write_npz(tmp_path / "a.npz", x, x[:, 0])
    np.testing.assert_allclose(load(path, seed=0, scale="global").x_train.std(axis=0) * (100, 10, 1), 1.7, rtol=0.4)


def test_the_digest_of_columns_scaled_one_by_one_is_that_of_version_0_1_0():
    assert load("iris", seed=0).digest == load("iris", seed=0, scale="column").digest
    assert load("iris", seed=0).digest.startswith("530817624e62")


def test_the_first_samples_of_the_training_part():
    whole, few = load("iris", seed=2), load("iris", seed=2, samples=40)
    np.testing.assert_array_equal(few.train_rows, whole.train_rows[:40])
    np.testing.assert_array_equal(few.test_rows, whole.test_rows)
    np.testing.assert_allclose(few.x_train.mean(axis=0), 0, atol=1e-12)
    assert few.digest != whole.digest
    for samples, said in ((121, "iris has 120 training samples; --samples 121 is more"), (0, "leaves nothing to learn from")):
        with pytest.raises(DatasetError, match=said):
            load("iris", seed=2, samples=samples)
