"""The estimators in scikit-learn's own terms: its checks, pipelines and searches, and what they share with boards."""

from __future__ import annotations

import copy
import pickle
import warnings
from typing import Any
from unittest import SkipTest

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris, make_regression
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures
from sklearn.utils.estimator_checks import check_estimator, estimator_checks_generator

from mtjlearn.board import Board
from mtjlearn.estimators import ANPClassifier, ANPRegressor
from mtjlearn.models import predict
from mtjlearn.network import NetworkError
from mtjlearn.training import defaults
from mtjlearn.virtual.native import start_native

pytestmark = pytest.mark.thorough

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])


def quick(**options: Any) -> ANPClassifier:
    return ANPClassifier(epochs=2 if options.get("backend") == "reference" else 10, random_state=0, **options)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("backend", ["core", "reference"])
@pytest.mark.parametrize("kind", [ANPClassifier, ANPRegressor])
def test_scikit_learns_checks(kind: type, backend: str) -> None:
    found = check_estimator(kind(backend=backend, random_state=0), on_fail=None)
    failed = [(each["check_name"], each["exception"]) for each in found if each["status"] not in ("passed", "skipped")]
    assert not failed
    assert sum(each["status"] == "passed" for each in found) > 40


def is_of_fit_or_predict(name: str) -> bool:
    """Whether one of scikit-learn's checks is about what a board does: learn, and what then predicts."""
    return any(word in name for word in ("fit", "train", "predict", "invariance", "dtypes", "one_label", "single_class", "score"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", [ANPClassifier, ANPRegressor])
def test_scikit_learns_checks_of_fit_and_predict_on_a_virtual_board(kind: type) -> None:
    """Each fit starts a process of its own."""
    passed, failed = [], []
    for found, check in estimator_checks_generator(kind(backend="board", board="native", random_state=0)):
        name = check.func.__name__
        if not is_of_fit_or_predict(name):
            continue
        try:
            check(found)
        except SkipTest:
            continue
        except Exception as error:  # all that fail are to be seen at once
            failed.append((name, repr(error)))
        else:
            passed.append(name)
    assert not failed
    assert len(passed) >= 19


@pytest.mark.parametrize("backend", ["core", pytest.param("reference", marks=pytest.mark.thorough)])
def test_iris(backend: str) -> None:
    train, test, labels, wanted = train_test_split(X, NAMES[Y], random_state=1, stratify=Y)
    found = ANPClassifier(backend=backend, epochs=30, random_state=1).fit(train, labels)
    assert found.score(test, wanted) > 0.85
    assert found.predict_proba(test).sum(axis=1) == pytest.approx(1)
    assert [rows.shape for rows in found.coefs_] == [(4, 8), (8, 3)]
    assert [rows.shape for rows in found.intercepts_] == [(8,), (3,)]
    assert np.abs(found.coefs_[0]).max() < 8


@pytest.mark.parametrize("backend", ["core", "reference"])
def test_the_same_state_gives_the_same_bits(backend: str) -> None:
    first, second = (ANPClassifier(epochs=2, random_state=0, backend=backend).fit(X, Y) for _ in range(2))
    assert np.array_equal(first.decision_function(X), second.decision_function(X))
    other = ANPClassifier(epochs=2, random_state=1, backend=backend).fit(X, Y)
    assert not np.array_equal(first.decision_function(X), other.decision_function(X))


@pytest.mark.parametrize("options", [{}, {"rule": "danp"}, {"weights": "int32"}, {"backend": "reference", "rule": "danp"}])
def test_copies_and_pickles_predict_the_same(options: dict[str, Any]) -> None:
    found = quick(**options).fit(X, Y)
    expected = found.predict_proba(X)
    for other in (pickle.loads(pickle.dumps(found)), copy.deepcopy(found)):
        assert np.array_equal(other.predict_proba(X), expected)
    assert not hasattr(clone(found), "parameters_")


def test_a_board_that_is_open_learns_and_stays_open() -> None:
    with start_native(virtual_clock=4) as process, Board.open(process.url) as board:
        found = quick(backend="board", board=board).fit(X, Y)
        fixed = found.decision_function(X)
        assert board.status().steps == 10 * len(X)
        outputs = predict(found.to_model("iris"), X, board).scores
    assert np.abs(outputs - fixed).max() < 0.05  # inputs are scaled in single precision there
    assert quick(backend="board", board="native").fit(X, Y).score(X, Y) > 0.7


def test_what_was_learned_becomes_a_model() -> None:
    for options in ({}, {"rule": "danp"}, {"backend": "reference"}):
        found = quick(**options).fit(X, NAMES[Y])
        model = found.to_model("iris")
        assert model.classes == tuple(NAMES)
        same = predict(model, X).values == found.predict(X)
        assert same.mean() > 0.98
    numbers = ANPRegressor(epochs=5, random_state=0).fit(X[:, :3], X[:, 3])
    assert predict(numbers.to_model(), X[:, :3]).values[:, 0] == pytest.approx(numbers.predict(X[:, :3]), abs=0.01)


def test_regression_of_one_and_of_several_targets() -> None:
    x, y = make_regression(200, 5, n_targets=2, noise=1.0, random_state=0)
    both = ANPRegressor(random_state=0).fit(x, y)
    assert both.predict(x).shape == (200, 2)
    assert both.score(x, y) > 0.8
    one = ANPRegressor(random_state=0).fit(x, y[:, 0])
    assert one.predict(x).shape == (200,)
    assert one.score(x, y[:, 0]) > 0.8


def test_fits_that_continue() -> None:
    once = quick().fit(X, Y)
    warm = quick(warm_start=True).fit(X, Y)
    assert np.array_equal(warm.decision_function(X), once.decision_function(X))
    scale = warm.scaling_
    warm.fit(X, Y)
    assert warm.scaling_ is scale
    assert not np.array_equal(warm.decision_function(X), once.decision_function(X))
    with pytest.raises(ValueError, match="warm_start: y has the classes"):
        warm.fit(X[:100], Y[:100])
    parts = ANPClassifier(random_state=0)
    with pytest.raises(ValueError, match="classes must be passed"):
        parts.partial_fit(X[:10], Y[:10])
    order = np.random.default_rng(0).permutation(len(X))
    for _ in range(20):
        for chosen in np.array_split(order, 5):
            parts.partial_fit(X[chosen], Y[chosen], classes=[0, 1, 2])
    assert parts.score(X, Y) > 0.8
    with pytest.raises(ValueError, match="not among"):
        parts.partial_fit(X[:3], [0, 1, 7])
    numbers = ANPRegressor(random_state=0).partial_fit(X[:, :3], X[:, 3])
    before = numbers.predict(X[:, :3])
    assert not np.array_equal(numbers.partial_fit(X[:, :3], X[:, 3]).predict(X[:, :3]), before)
    with pytest.raises(ValueError, match="targets"):
        numbers.partial_fit(X[:, :3], X[:, 2:])


@pytest.mark.parametrize("rule", ["anp-exact", "feedback"])
def test_rules_that_learn_from_the_error_at_the_outputs(rule: str) -> None:
    found = ANPClassifier(rule=rule, backend="reference", epochs=15, random_state=0, warm_start=True).fit(X, Y)
    assert found.score(X, Y) > 0.9
    model = found.to_model()
    assert (model.network.rule, model.network.shift, model.origin["rule"]) == (rule, 3, rule)
    assert np.mean(predict(model, X).classes == Y) > 0.9
    with pytest.raises(ValueError, match=f"what was learned has rule {rule}, not anp; fit a new one"):
        found.set_params(rule="anp").fit(X, Y)


def test_each_part_has_noise_of_its_own() -> None:
    """Else samples that come one by one would all be learned in the direction of the same noise."""
    for backend in ("core", "reference"):
        found = ANPClassifier(backend=backend, epochs=1, eta=1e-6, weights="int32", random_state=0).fit(X, Y)
        steps, last = [], found.intercepts_[1]
        for _ in range(3):
            found.partial_fit(X[:1], Y[:1])
            steps.append(found.set_params(eta=0.1).intercepts_[1] - last)
            last = found.intercepts_[1]
        directions = [step / np.linalg.norm(step) for step in steps[1:]]
        assert abs(directions[0] @ directions[1]) < 0.999


def test_a_first_part_that_scales_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="begin with more samples"):
        ANPClassifier().partial_fit(X[:1], Y[:1], classes=[0, 1, 2])
    with pytest.raises(ValueError, match="begin with more samples"):
        ANPRegressor().partial_fit(X[:5], np.ones(5))
    with pytest.warns(UserWarning, match="inputs 1 are the same"):
        ANPClassifier(random_state=0).partial_fit(np.where([False, True, False, False], 1.0, X), Y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="epochs"):
        ANPClassifier(epochs=-1).partial_fit(X, Y, classes=[0, 1, 2])


def test_what_is_set_after_a_fit_changes_no_prediction() -> None:
    found = quick().fit(X, Y)
    expected, weights = found.decision_function(X), found.coefs_
    found.set_params(backend="reference", warm_start=True)
    assert np.array_equal(found.decision_function(X), expected)
    assert np.array_equal(found.coefs_[0], weights[0])
    assert found.to_model().readable_weights()[0].any()
    with pytest.raises(ValueError, match="cannot continue"):
        found.fit(X, Y)
    with pytest.raises(ValueError, match="has sizes"):
        found.set_params(backend="core", hidden_layer_sizes=(5,)).fit(X, Y)
    slow = found.set_params(hidden_layer_sizes=(8,), eta=0.0001).partial_fit(X, Y).decision_function(X)
    assert np.abs(slow - expected).max() < np.abs(found.set_params(eta=0.5).partial_fit(X, Y).decision_function(X) - slow).max()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"backend": "chip"}, "no backend 'chip'"),
        ({"backend": "board"}, "needs board="),
        ({"board": "native"}, "uses no board"),
        ({"rule": "bp"}, "no rule 'bp'"),
        ({"weights": "int8"}, "no weights 'int8'"),
        ({"slope": 0.3}, "a slope of 0.3 is not possible"),
        ({"hidden_layer_sizes": None}, "must be whole numbers"),
        ({"hidden_layer_sizes": (8.5,)}, "must be whole numbers"),
        ({"hidden_layer_sizes": (200,)}, "203 units"),
        ({"hidden_layer_sizes": (0,)}, "at least 1 unit"),
        ({"eta": -1.0}, "learning rate"),
        ({"sigma": 7.0}, "sigma"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(options: dict[str, Any], words: str) -> None:
    with pytest.raises((ValueError, NetworkError), match=words):
        quick(**options).fit(X, Y)
    with pytest.raises(ValueError, match="epochs"):
        ANPClassifier(epochs=0).fit(X, Y)


def test_names_of_inputs_are_kept() -> None:
    frame = pytest.importorskip("pandas").DataFrame(X, columns=["a", "b", "c", "d"])
    found = quick().fit(frame, Y)
    assert list(found.feature_names_in_) == ["a", "b", "c", "d"]
    assert found.to_model().inputs == ("a", "b", "c", "d")
    with pytest.raises(ValueError, match="feature names"):
        found.predict(frame[["b", "a", "c", "d"]])


@pytest.mark.slow
def test_a_search_over_three_boards_at_once() -> None:
    search = GridSearchCV(
        ANPClassifier(backend="board", board="native", random_state=0),
        {"eta": [0.02, 0.05, 0.1], "hidden_layer_sizes": [(4,), (8,)]},
        n_jobs=3,
        cv=3,
    ).fit(X, Y)
    assert search.best_score_ > 0.93


@pytest.mark.thorough
def test_in_a_pipeline() -> None:
    x, y = load_diabetes(return_X_y=True)
    line = make_pipeline(PolynomialFeatures(1, include_bias=False), ANPRegressor(epochs=40, random_state=0))
    assert cross_val_score(line, x, y, cv=3).mean() > 0.3


@pytest.mark.thorough
def test_inputs_that_stay_the_same_are_named_in_the_first_part_alone() -> None:
    still = X[:30].copy()
    still[:, [1, 3]] = 0.5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parts = quick().partial_fit(X, Y, classes=[0, 1, 2])
        parts.partial_fit(still, Y[:30])
    with pytest.warns(UserWarning, match=r"^inputs 1, 3 are the same in all samples of the first call and count as 0 from now on$"):
        quick().partial_fit(still, Y[:30], classes=[0, 1, 2])


def test_the_learning_rate_is_that_of_a_training() -> None:
    assert (ANPClassifier._factor, ANPRegressor._factor) == (defaults._CROSS_ENTROPY_FACTOR, defaults.SQUARED_FACTOR)
