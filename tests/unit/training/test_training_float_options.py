"""What only the float reference can do, and what reaches the device: asked once, kept in config.toml, resumed exactly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from images_support import write_cifar10, write_idx_set
from training_support import Watcher, interrupt_after, mistake, result_of
from training_support import train as command

from mtjlearn.board.board import configure_message
from mtjlearn.datasets import IMAGE_SETS, DatasetError
from mtjlearn.network import NetworkError
from mtjlearn.runs import Run, RunError, read_checkpoint, read_config, read_metrics
from mtjlearn.training import FloatOptions, Plan, default_plan, train

EVERYTHING = FloatOptions(batch=5, optimiser="adam", reading="code", dtype="float32", centring=True)


def new_run(root: Path, plan: Plan) -> Run:
    return Run.create(root, "train", plan.name, plan.seed, plan.config())


def test_every_option_survives_the_run_directory(tmp_path):
    folder = write_cifar10(tmp_path / "cifar")
    plan = default_plan(
        "cifar10",
        seed=5,
        rule="danp",
        epsilon=1e-3,
        plain_step=True,
        board="none",
        scale="none",
        data_dir=folder,
        samples=30,
        floats=FloatOptions(**{**vars(EVERYTHING), "augment": True}),
    )
    with new_run(tmp_path, plan) as run:
        again = Plan.from_config(read_config(run.path))
    assert again == plan
    assert again.network.decorrelation_rate == 1e-3
    assert not again.network.normalised
    assert again.dataset.digest == plan.dataset.digest
    assert len(again.dataset.x_train) == 30


@pytest.fixture
def written(tmp_path):
    """The configuration of a run on a board, as it is read back."""
    with new_run(tmp_path, default_plan("iris", seed=0, board="native")) as run:
        return read_config(run.path)


def test_a_configuration_of_version_0_1_0_is_what_it_was(written):
    for name in ("scale", "floats"):
        del written[name]
    plan = Plan.from_config(written)
    assert plan == default_plan("iris", seed=0, board="native")
    assert (plan.scale, plan.floats, plan.on_board) == ("column", FloatOptions(), True)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ({"floats": {"batch": 1, "surprise": 1}}, "does not describe a training"),
        ({"floats": 7}, "does not describe a training"),
        ({"floats": {"batch": 0}}, "a batch of 0 samples"),
        ({"floats": {"batch": "two"}}, "a batch of two samples"),
        ({"floats": {"optimiser": "lion"}}, "there is no optimiser lion; use sgd or adam"),
    ],
)
def test_damaged_options_are_named(written, damage, said):
    with pytest.raises((RunError, NetworkError), match=said):
        Plan.from_config({**written, **damage})
    with pytest.raises(DatasetError, match="there is no scale huge; use column, global, none or floor"):
        Plan.from_config({**written, "scale": "huge"}).dataset  # noqa: B018


def test_one_scale_where_inputs_share_a_unit_and_danp_gains_by_it(tmp_path):
    assert default_plan("digits", seed=0).scale == "column"
    danp = default_plan("digits", seed=0, rule="danp")
    assert (danp.scale, danp.network.decorrelation_rate) == ("global", 2**-14)
    column = default_plan("digits", seed=0, rule="danp", scale="column")
    assert (column.scale, column.network.decorrelation_rate) == ("column", 2**-12)
    for table in ("iris", "wine", "breast-cancer"):
        plan = default_plan(table, seed=0, rule="danp")
        assert (plan.scale, plan.network.decorrelation_rate) == ("column", 2**-12)
    assert default_plan("mnist", seed=0, rule="bp", data_dir=write_idx_set(tmp_path)).scale == "global"


def test_what_a_device_can_do_reaches_it():
    plan = default_plan("iris", seed=0, rule="danp", epsilon=2**-10, plain_step=True, board="native")
    message = configure_message(plan.network)
    assert message.decorrelation_rate == 2**18
    normalised = configure_message(default_plan("iris", seed=0, rule="danp", board="native").network)
    assert message.options != normalised.options
    # 8 hidden units: ||x||^2 is about 8, and 1 + ||x||^2 rounded up is 16.
    assert message.learning_rate == pytest.approx(normalised.learning_rate / 16, abs=1)


def test_adams_rate_does_not_depend_on_the_network_and_sums_are_not_means():
    adam = default_plan("iris", seed=0, board="none", floats=FloatOptions(optimiser="adam"))
    assert adam.network.learning_rate == 1e-3
    mean, total = (
        default_plan("iris", seed=0, board="none", plain_step=True, floats=FloatOptions(64, reading=r)) for r in ("paper", "code")
    )
    assert total.network.learning_rate == mean.network.learning_rate / 64
    assert not total.network.normalised


def test_the_authors_means_and_deviations_are_those_of_their_code(tmp_path):
    folder = write_cifar10(tmp_path)
    code = default_plan("cifar10", seed=0, board="none", data_dir=folder, floats=FloatOptions(reading="code"))
    assert tuple(code.dataset.input_scaling.mean[::1024]) == IMAGE_SETS["cifar10"].mean
    paper = default_plan("cifar10", seed=0, board="none", data_dir=folder)
    assert tuple(paper.dataset.input_scaling.mean[::1024]) != IMAGE_SETS["cifar10"].mean


@pytest.mark.parametrize(
    ("floats", "named"),
    [
        ({"batch": 4}, "omit --batch 4, or train"),
        ({"optimiser": "adam"}, "omit --optimiser adam, or train"),
        ({"reading": "code", "centring": True}, "omit --as code and --centring, or train"),
        ({"dtype": "float32"}, "omit --dtype float32, or train"),
    ],
)
def test_boards_refuse_what_they_cannot_do(floats, named):
    for board in ("native", None):
        with pytest.raises(NetworkError, match="boards learn online, with SGD and in integers") as found:
            default_plan("iris", seed=0, rule="danp", board=board, floats=FloatOptions(**floats))
        assert named in str(found.value)
        assert "the float reference alone with --board none" in str(found.value)
    options = FloatOptions(**{**floats, "centring": False})
    assert default_plan("iris", seed=0, rule="bp", floats=options).reference


def test_mistakes_before_anything_starts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = write_idx_set(tmp_path / "data")
    with pytest.raises(NetworkError, match="--epsilon is the rate of danp's decorrelation, and anp has none"):
        default_plan("iris", seed=0, epsilon=0.1)
    with pytest.raises(NetworkError, match=r"decorrelation rate 0\.1 is outside .* or train the float reference alone"):
        default_plan("iris", seed=0, rule="danp", epsilon=0.1)
    with pytest.raises(DatasetError, match="omit --augment"):
        default_plan("mnist", seed=0, data_dir=folder, board="none", floats=FloatOptions(augment=True))
    with pytest.raises(NetworkError, match="anp decorrelates nothing; omit it, or use --rule danp"):
        default_plan("iris", seed=0, board="none", floats=FloatOptions(centring=True))
    with pytest.raises(NetworkError, match="omit --sigma"):
        default_plan("iris", seed=0, board="none", sigma=0.1, floats=FloatOptions(reading="code"))
    np.savez(tmp_path / "wide.npz", x=np.arange(60.0).reshape(20, 3) % 7, y=np.arange(2400.0).reshape(20, 120) % 11)
    said = mistake(tmp_path / "wide.npz", "--net", "3-120", "--antithetic", "--board", "native", "--epochs", 1)
    assert "a message from a board holds at most 119 outputs, and wide has 120" in said
    assert "omit --no-reference" in mistake("iris", "--board", "none", "--no-reference")
    assert "for image sets" in mistake("iris", "--data-dir", folder)
    assert not list((tmp_path / "runs").iterdir())


@pytest.mark.thorough
@pytest.mark.parametrize("rule", ["danp", *(pytest.param(rule, marks=pytest.mark.slow) for rule in ("anp", "bp"))])
def test_without_a_board_the_reference_learns_alone(tmp_path, monkeypatch, rule):
    monkeypatch.chdir(tmp_path)
    result = result_of(command("iris", "--rule", rule, "--board", "none", "--epochs", 30, "--seed", 1))
    assert result["reference_test_accuracy"] >= 0.9
    assert (result["test_accuracy"], result["board"]) == (None, {})
    assert {path.name for path in Path(result["run"]).iterdir()} >= {"config.toml", "weights.npz", "loss.png"}
    assert not (Path(result["run"]) / "link.log").exists()


def test_a_run_without_a_board_stays_without_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for board, other in (("none", "native"), ("native", "none")):
        plan = default_plan("xor", seed=0, epochs=2, board=board)
        run = new_run(tmp_path, plan)
        run.keep()
        run.interrupt()
        said = mistake("--resume", run.path, "--board", other)
        assert f"began with{'out' if board == 'none' else ''} a board; omit --board {other}" in said


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("rule", "floats"),
    [
        ("danp", FloatOptions()),
        ("danp", FloatOptions(batch=7, optimiser="adam")),
        ("anp", FloatOptions(batch=7, dtype="float32")),
        ("danp", EVERYTHING),
    ],
    ids=["danp", "adam", "float32", "everything"],
)
def test_interrupted_it_learns_what_one_go_learns(tmp_path, rule, floats):
    plan = default_plan("iris", seed=3, rule=rule, epochs=3, board="none", floats=floats)
    samples = len(plan.dataset.x_train)
    whole = new_run(tmp_path / "whole", plan)
    expected = train(plan, whole, Watcher(), plots=False)
    run = new_run(tmp_path / "parts", plan)
    with pytest.raises(KeyboardInterrupt):
        train(plan, run, Watcher(interrupt_after(2 * samples + 1, "reference")), plots=False)
    assert read_checkpoint(run.path).epoch == 2
    found = train(Plan.from_config(read_config(run.path)), Run.open(run.path), Watcher(), plots=False)
    assert found.reference_test_accuracy == expected.reference_test_accuracy
    kept, wanted = read_checkpoint(run.path), read_checkpoint(whole.path)
    np.testing.assert_array_equal(kept.weights, wanted.weights)
    assert len(kept.state) == len(wanted.state)
    for one, other in zip(kept.state, wanted.state, strict=True):
        np.testing.assert_array_equal(one, other)
    losses = [[r["reference_loss"] for r in read_metrics(p) if "reference_loss" in r] for p in (run.path, whole.path)]
    assert losses[0] == losses[1]


def test_a_checkpoint_of_another_rule_is_refused(tmp_path):
    plan = default_plan("iris", seed=3, rule="anp", epochs=2, board="none")
    run = new_run(tmp_path, plan)
    with pytest.raises(KeyboardInterrupt):
        train(plan, run, Watcher(interrupt_after(121, "reference")), plots=False)
    other = default_plan("iris", seed=3, rule="danp", epochs=2, board="none")
    with pytest.raises(RunError, match=r"weights\.npz does not belong to this network"):
        train(other, Run.open(run.path), Watcher(), plots=False)


def test_images_are_learned_cropped_and_mirrored(tmp_path):
    plan = default_plan(
        "cifar10",
        seed=0,
        rule="bp",
        sizes=(3072, 10),
        epochs=3,
        data_dir=write_cifar10(tmp_path / "cifar"),
        floats=FloatOptions(batch=10, dtype="float32", augment=True),
    )
    plain = default_plan(
        "cifar10", seed=0, rule="bp", sizes=(3072, 10), epochs=3, data_dir=tmp_path / "cifar", floats=FloatOptions(10)
    )
    losses = []
    for number, each in enumerate((plan, plain)):
        run = new_run(tmp_path / str(number), each)
        train(each, run, Watcher(), plots=False)
        losses.append([r["reference_loss"] for r in read_metrics(run.path) if "reference_loss" in r])
    assert losses[0] != losses[1]
    assert losses[1][-1] < losses[1][0]
