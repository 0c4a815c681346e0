"""Models as files, the rows they predict, and the commands predict and export."""

from __future__ import annotations

import json
import os
import re
import signal
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from model_support import random_model, rows_for
from training_support import Watcher

from mtjlearn import datasets
from mtjlearn.board import Board, CheckpointFile
from mtjlearn.cli import main
from mtjlearn.datasets import DatasetError, load, read_features
from mtjlearn.models import Model, ModelError, predict, read_model, write_model
from mtjlearn.models.model import rounded_weights
from mtjlearn.network import WeightFormat
from mtjlearn.runs import Run
from mtjlearn.training import default_plan, train
from mtjlearn.training.models import data_of_checkpoint, load_model, model_of_run
from mtjlearn.virtual.native import start_native

MODELS = [
    random_model((4, 8, 3)),
    random_model((5, 4, 2), classes=False),
    random_model((3, 5, 1)),
    random_model((4, 6, 3), decorrelated=True, weight_format=WeightFormat.INT32),
    random_model((4, 7, 3), slope=3),
]


def run(*words: str) -> tuple[int, str, str]:
    """A command's exit code, standard output and standard error."""
    found = CliRunner().invoke(main, list(words))
    return found.exit_code, found.stdout, found.stderr


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.network.name)
def test_a_file_gives_back_what_was_written(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    write_model(model, path)
    x = rows_for(model, 50)
    for place in (path, tmp_path, tmp_path / "model.toml"):
        found = read_model(place)
        for name in ("network", "inputs", "classes", "targets", "origin"):
            assert getattr(found, name) == getattr(model, name)
        assert np.array_equal(predict(found, x).outputs, predict(model, x).outputs)
        assert predict(found, x).values.tolist() == predict(model, x).values.tolist()
    with path.open("rb") as file:
        assert np.load(file, allow_pickle=False)["description"].tobytes() == (tmp_path / "model.toml").read_bytes()


def test_earlier_versions_are_kept_from_what_they_would_predict_wrongly(tmp_path: Path) -> None:
    """They know slope 1/128 alone; what they can read keeps its format, and what they wrote names no slope."""
    for model, written in ((MODELS[0], 1), (random_model((4, 7, 3), slope=3), 3)):
        path = tmp_path / "model.npz"
        write_model(model, path)
        assert f"format = {written}\n" in (tmp_path / "model.toml").read_text()
    write_model(MODELS[0], path)
    change(path, description=described(path, 'rule = "anp"\nslope = 0.0078125\n', ""))
    assert read_model(path).network == MODELS[0].network


def change(path: Path, **arrays: object) -> None:
    with np.load(path) as content:
        kept = {**content, **arrays}
    np.savez(path, **{name: value for name, value in kept.items() if value is not None})


def described(path: Path, old: str, new: str) -> np.ndarray:
    text = np.load(path)["description"].tobytes().decode()
    assert old in text
    return np.frombuffer(text.replace(old, new).encode(), np.uint8)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"description": None}, "holds no description"),
        ({"description": np.zeros(3)}, "holds no description"),
        ({"description": np.frombuffer(b"format = ", np.uint8)}, "is damaged"),
        ({"description": np.frombuffer(b"format = 4", np.uint8)}, "has format 4, and this mtjlearn reads up to 3"),
        ({"description": np.frombuffer(b"format = 1", np.uint8)}, "is damaged"),
        ({"weights_1": None}, "weights_1 is missing"),
        ({"weights_0": np.zeros((8, 4), np.int16)}, "have the shapes"),
        ({"weights_0": np.zeros((8, 5), np.int32)}, "must be int16"),
        ({"weights_0": np.zeros((8, 5))}, "not a table of integers"),
        ({"weights_0": np.full((8, 5), -32768, np.int16)}, "must be -32767 .. 32767"),
        (("[\n    4,", "[\n    4.5,"), "is damaged"),
        (("cross_entropy", "hinge"), "is damaged"),
        (('rule = "anp"', 'rule = "delta"'), "is damaged"),
        (("slope = 0.0078125", "slope = 0.3"), "a slope of 0.3 is not possible"),
        (("slope = 0.0078125", "slope = [1]"), "is damaged"),
        (('"x0",', '"x1",'), "two inputs have the same name"),
        (('"c2",', ""), "2 classes are named, and the network has 3"),
        (("std = [\n    0.0", "std = [\n    -1.0"), "negative deviation"),
        (("std = [\n    0.0", "std = [\n    nan"), "undefined"),
        (('"x0",', "7,"), "is damaged"),
    ],
)
def test_what_is_no_model_is_refused_in_one_line(arrays: object, words: str, tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    write_model(MODELS[0], path)
    change(path, **(arrays if isinstance(arrays, dict) else {"description": described(path, *arrays)}))
    with pytest.raises(ModelError, match=words) as caught:
        read_model(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    code, _, errors = run("predict", str(path), "iris")
    assert code == 2
    assert len(errors.splitlines()) == 1


def test_files_that_are_something_else_are_refused(tmp_path: Path) -> None:
    for name, content in (("a.npz", b"PK"), ("b.npz", b""), ("c", os.urandom(100))):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ModelError, match="damaged or not a model"):
            load_model(tmp_path / name)
    with pytest.raises(ModelError, match="there is no model"):
        load_model(tmp_path / "none.npz")
    with pytest.raises(ModelError, match="there is no model"):
        load_model(tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b\n1,2\n3,4\n", [[1, 2], [3, 4]]),
        ("b,t,a\n1,x,2\n", [[2, 1]]),
        ("1,2\n3,4\n", [[1, 2], [3, 4]]),
        ("b;a\n0,5;1,5\n", [[1.5, 0.5]]),
        ("a,b\ncm,mm\n1,2\n", [[1, 2]]),
        ("# made by hand\na,b\n1,2\n", [[1, 2]]),
    ],
)
def test_columns_are_found_by_name_in_any_order(text: str, expected: list[list[float]], tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(text)
    assert read_features(tmp_path / "rows.csv", ("a", "b")).values.tolist() == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,c\n1,2\n", "has no column 'b'; it has c instead"),
        ("x,y\n1,2\n", "has no columns 'a', 'b'; it has x, y instead"),
        ("1,2,3\n", "no column names and 3 columns"),
        ("a,b,b\n1,2,3\n", "two columns named 'b'"),
        ("a,b\n1,\n", "row 2, column 'b' is empty"),
        ("a,b\n1,nan\n", "row 2, column 'b' is not a number"),
        ("a,b\n1,2,3\n", "row 2 has 3 cells"),
        ("", "empty"),
    ],
)
def test_what_is_wrong_with_rows_is_said_in_one_line(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(text)
    with pytest.raises(DatasetError, match=words):
        read_features(tmp_path / "rows.csv", ("a", "b"))


def test_a_model_of_a_file_without_names_finds_its_columns_again(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("1,2,3\n4,5,6\n")
    assert read_features(tmp_path / "rows.csv", ("column 1", "column 3")).values.tolist() == [[1, 3], [4, 6]]


def test_a_heading_of_numbers_is_no_row(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("0,1\n5,6\n")
    assert read_features(tmp_path / "rows.csv", ("1", "0")).values.tolist() == [[6, 5]]


def test_a_blank_row_is_not_passed_over_in_silence(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n,\n3,4\n\n")
    found = read_features(tmp_path / "rows.csv", ("a", "b"))
    assert found.values.tolist() == [[1, 2], [3, 4]]
    assert "1 of them: predictions count rows" in " ".join(found.notes)
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n3,4\n\n\n")
    assert read_features(tmp_path / "rows.csv", ("a", "b")).notes == ()


@pytest.mark.parametrize("name", ["IRIS", "-", "none.xyz", "none.csv"])
def test_a_file_that_is_not_there_is_called_so(name: str) -> None:
    with pytest.raises(DatasetError, match="there is no file"):
        read_features(name, ("a",))


def test_npz_and_parquet_rows(tmp_path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.table({"b": [1.0], "t": ["x"], "a": [2]}), tmp_path / "rows.parquet")
    found = read_features(tmp_path / "rows.parquet", ("a", "b"))
    assert found.values.tolist() == [[2, 1]]
    assert "'t' is not among the model's inputs" in found.notes[0]
    np.savez(tmp_path / "rows.npz", x=[[1, 2]])
    assert read_features(tmp_path / "rows.npz", ("a", "b")).values.tolist() == [[1, 2]]
    with pytest.raises(DatasetError, match=r"needs an array x of numbers, shape \(rows, 3\)"):
        read_features(tmp_path / "rows.npz", ("a", "b", "c"))
    for name in ("none.csv", "none.npz", "rows.txt"):
        with pytest.raises(DatasetError):
            read_features(tmp_path / name, ("a",))


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    code, out, _ = run("train", "iris", "--board", "native", "--epochs", "20", "--no-reference", "--runs", str(tmp_path), "--json")
    assert code == 0
    return Path(json.loads(out.splitlines()[-1])["run"])


@pytest.mark.thorough
def test_a_run_predicts(trained: Path, tmp_path: Path) -> None:
    description = tomllib.loads((trained / "model.toml").read_text())
    assert description["outputs"]["classes"] == ["setosa", "versicolor", "virginica"]
    assert description["origin"]["board"] == "native"
    code, out, _ = run("predict", str(trained), "iris", "--json")
    assert code == 0
    predicted = json.loads(out.splitlines()[-1])["predictions"]
    names = [row[0] for row in predicted]
    assert {type(score) for row in predicted for score in row[1:]} == {float}
    dataset = load("iris", seed=0)
    assert dataset.classes is not None
    right = [names[row] == dataset.classes[label] for row, label in zip(dataset.test_rows, dataset.y_test, strict=True)]
    assert np.mean(right) > 0.8
    code, on_board, _ = run("predict", str(trained), "iris", "--board", "native")
    assert code == 0
    assert on_board == run("predict", str(trained), "iris")[1]
    code, out, _ = run("predict", str(trained), "iris", "--out", str(tmp_path / "out.csv"))
    assert (tmp_path / "out.csv").read_text() == on_board
    code, _, errors = run("predict", str(trained), "iris", "--out", str(tmp_path / "none" / "out.csv"))
    assert (code, len(errors.splitlines())) == (2, 1)


@pytest.mark.thorough
def test_a_run_that_was_killed_predicts_with_its_newest_weights(trained: Path) -> None:
    before = model_of_run(trained)
    (trained / "model.npz").unlink()
    assert [rows.tolist() for rows in model_of_run(trained).weights] == [rows.tolist() for rows in before.weights]
    older = Model(**{**vars(before), "origin": {**before.origin, "steps": 1}, "classes": ("a", "b", "c")})
    write_model(older, trained / "model.npz")
    assert model_of_run(trained).classes == before.classes


def trained_on_a_file(folder: Path) -> tuple[Path, Path]:
    """A CSV file, and a run that learned it."""
    data = folder / "iris.csv"
    rows = load("iris", seed=0)
    lines = [f"{a},{b},{label}" for (a, b, *_), label in zip(rows.x_train.tolist(), rows.y_train.tolist(), strict=True)]
    data.write_text("\n".join(["a,b,kind", *lines]))
    options = ["--target", "kind", "--epochs", "1", "--board", "none", "--runs", str(folder), "--json"]
    code, out, errors = run("train", str(data), *options)
    assert code == 0, errors
    return data, Path(json.loads(out.splitlines()[-1])["run"])


@pytest.mark.thorough
def test_data_that_have_changed_scale_no_model_and_score_none(tmp_path: Path) -> None:
    data, path = trained_on_a_file(tmp_path)
    assert "test" in json.loads(run("show", str(path), "--json")[1].splitlines()[-1])
    data.write_text(data.read_text().replace("0.", "9."))
    code, out, errors = run("show", str(path), "--json")
    assert (code, "test" in json.loads(out.splitlines()[-1])) == (0, False)
    assert "have changed since they were learned" in errors
    (path / "model.npz").unlink()
    code, _, errors = run("predict", str(path), str(data))
    assert (code, len(errors.splitlines())) == (2, 1)
    assert "has changed since" in errors


@pytest.mark.thorough
def test_a_model_is_shown_without_its_data(tmp_path: Path) -> None:
    data, path = trained_on_a_file(tmp_path)
    data.unlink()
    code, out, errors = run("show", str(path), "--json")
    assert (code, "layers" in json.loads(out.splitlines()[-1])) == (0, True)
    assert "no score on the test part: there is no file" in errors


@pytest.mark.parametrize("options", [("--data", "wine"), ("--seed", "3"), ("--scale", "global"), ("--out", ""), ("--out", ".")])
@pytest.mark.parametrize("kind", ["c", "model"])
def test_options_of_an_export_that_would_do_nothing_or_harm_are_refused(
    options: tuple[str, str], kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_model(MODELS[0], tmp_path / "model.npz")
    code, _, errors = run("export", "model.npz", "--to", kind, *options)
    assert (code, len(errors.splitlines())) == (2, 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.npz", "model.toml"]


def test_data_of_a_checkpoint_are_scaled_as_its_training_did(tmp_path: Path) -> None:
    plain = random_model((64, 4, 10)).network
    decorrelated = replace(plain, decorrelate=(False, True), decorrelation_rate=2**-14)
    for chosen, scale in ((decorrelated, "global"), (plain, "column")):
        path = tmp_path / f"{scale}.ckpt"
        with start_native() as process, Board.open(process.url) as board:
            board.configure(chosen)
            CheckpointFile(board.save_checkpoint(), board.info.name, board.info.build, 0.0).write(path)
        assert data_of_checkpoint(path, "digits", seed=0, scale=None).scale == scale
        assert data_of_checkpoint(path, "digits", seed=0, scale="none").scale == "none"


@pytest.mark.thorough
def test_a_run_whose_settings_were_edited_is_refused_in_one_line(tmp_path: Path) -> None:
    _, path = trained_on_a_file(tmp_path)
    (path / "model.npz").unlink()
    text = (path / "config.toml").read_text()
    for name in ("seed", "data"):
        (path / "config.toml").write_text(re.sub(f"^{name} = .*", f"{name} = 0.5", text, count=1, flags=re.MULTILINE))
        code, _, errors = run("show", str(path))
        assert (code, len(errors.splitlines())) == (2, 1)
        assert "config.toml does not describe a training" in errors
    (path / "config.toml").write_text(text)
    meta = json.loads((path / "meta.json").read_text())
    (path / "meta.json").write_text(json.dumps({**meta, "result": {"board": "name"}}))
    assert run("show", str(path))[0] == 0


@pytest.mark.thorough
def test_a_checkpoint_becomes_a_model(trained: Path, tmp_path: Path) -> None:
    model = model_of_run(trained)
    path = tmp_path / "board.ckpt"
    with start_native() as process, Board.open(process.url) as board:
        x = rows_for(model, 30)
        outputs = predict(model, x, board).outputs
        CheckpointFile(board.save_checkpoint(), board.info.name, board.info.build, 0.0).write(path)
    assert np.array_equal(predict(load_model(path, load("iris", seed=0)), x).outputs, outputs)
    bare = load_model(path)
    assert (bare.inputs, bare.classes) == (("x1", "x2", "x3", "x4"), ("0", "1", "2"))
    code, _, _ = run("export", str(path), "--to", "model", "--data", "iris", "--out", str(tmp_path / "named"))
    assert code == 0
    assert read_model(tmp_path / "named.npz").classes == model.classes
    code, _, errors = run("export", str(path), "--to", "c", "--data", "wine", "--out", str(tmp_path / "wine.h"))
    assert code == 2
    assert "inputs are named" in errors


@pytest.mark.thorough
def test_a_float_reference_that_a_device_can_hold_is_rounded(tmp_path: Path) -> None:
    for options in (["--rule", "bp"], ["--rule", "danp", "--board", "none"]):
        code, out, errors = run("train", "iris", *options, "--epochs", "5", "--runs", str(tmp_path), "--json")
        assert code == 0, errors
        result = json.loads(out.splitlines()[-1])
        path = Path(result["run"])
        assert read_model(path).origin["rule"] == options[1]
        shown = json.loads(run("show", str(path), "--json")[1].splitlines()[-1])
        assert shown["test"]["accuracy"] == pytest.approx(result["reference_test_accuracy"], abs=0.04)
    options = ["--rule", "danp", "--board", "none", "--centring", "--epochs", "1"]
    code, out, errors = run("train", "iris", *options, "--runs", str(tmp_path))
    assert code == 0
    assert "no model.npz: what the float reference learned with these options" in errors
    network = MODELS[0].network
    with pytest.raises(ModelError, match=r"beyond \+-8"):
        rounded_weights(network, [np.full((8, 5), 9.0), np.zeros((3, 9))])


def test_an_input_that_single_precision_loses_is_named(tmp_path: Path) -> None:
    mean, std = np.array([1.7e9, 5.0, 0.0, 4000.0]), np.array([60.0, 1.0, 0.0, 1.0])
    write_model(replace(MODELS[0], input_scaling=datasets.Scaling(mean, std)), tmp_path / "model.npz")
    (tmp_path / "rows.csv").write_text("x0,x1,x2,x3\n1.7e9,5,0,4000\n")
    for words in (("predict", str(tmp_path / "rows.csv")), ("export", "--to", "c", "--out", str(tmp_path / "a.h"))):
        code, _, errors = run(words[0], str(tmp_path), *words[1:])
        assert code == 0
        assert errors.startswith("'x0': too far from 0")


@pytest.mark.thorough
def test_a_float_reference_asked_for_wide_weights_has_a_model_too(tmp_path: Path) -> None:
    plan = default_plan("xor", seed=0, board="none", weight_format=WeightFormat.INT32, epochs=1)
    made = Run.create(tmp_path, "train", plan.name, plan.seed, plan.config())
    train(plan, made, Watcher())
    assert read_model(made.path).network.weight_format is WeightFormat.INT16


def test_ctrl_c_ends_a_prediction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_model(MODELS[0], tmp_path / "model.npz")
    (tmp_path / "rows.csv").write_text("x0,x1,x2,x3\n1,2,3,4\n")

    def interrupted(*arguments: object) -> object:
        signal.raise_signal(signal.SIGINT)
        return read_features(*arguments)

    monkeypatch.setattr(datasets, "read_features", interrupted)
    code, out, errors = run("predict", str(tmp_path), str(tmp_path / "rows.csv"))
    assert (code, out, errors) == (130, "", "mtjlearn: interrupted\n")


@pytest.mark.parametrize("kind", ["c", "arduino", "micropython", "model"])
def test_export_says_what_it_wrote(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_model(MODELS[0], tmp_path / "model.npz")
    code, out, _ = run("export", "model.npz", "--to", kind, "--json")
    assert code == 0
    files = json.loads(out.splitlines()[-1])["files"]
    assert files
    assert all(Path(file).stat().st_size for file in files)
    code, _, errors = run("export", "model.npz", "--to", kind, "--out", "none/there/x")
    assert code == (0 if kind == "arduino" else 2)
    assert len(errors.splitlines()) <= 1


@pytest.mark.thorough
def test_show_compares_with_somebody_who_learned_nothing(trained: Path) -> None:
    code, out, _ = run("show", str(trained), "--json")
    shown = json.loads(out.splitlines()[-1])
    assert code == 0
    assert [layer["units"] for layer in shown["layers"]] == [8, 3]
    confusion = np.array(shown["test"]["confusion"])
    assert confusion.sum() == shown["test"]["samples"] == 30
    assert np.trace(confusion) / 30 == pytest.approx(shown["test"]["accuracy"])
    assert shown["test"]["baseline_accuracy"] == pytest.approx(1 / 3)
    reported = json.loads((trained / "meta.json").read_text())["result"]["test_accuracy"]
    assert shown["test"]["accuracy"] == reported
    assert "setosa" in run("show", str(trained))[1]
    code, out, _ = run("show", str(trained / "model.npz"), "--json")
    assert "test" not in json.loads(out.splitlines()[-1])


@pytest.mark.thorough
def test_show_of_a_regression(tmp_path: Path) -> None:
    options = ["--board", "inprocess", "--epochs", "5", "--no-reference", "--runs", str(tmp_path), "--json"]
    code, out, _ = run("train", "teacher", *options)
    path = json.loads(out.splitlines()[-1])["run"]
    code, out, _ = run("show", path, "--json")
    test = json.loads(out.splitlines()[-1])["test"]
    assert code == 0
    reported = json.loads((Path(path) / "meta.json").read_text())["result"]["test_r2"]
    assert test["r2"] == pytest.approx(reported)
    assert test["rms_error"][0] < test["baseline_rms_error"][0]
    assert sorted(test["error_quantiles"][0]) == test["error_quantiles"][0]
    assert "test R2" in run("show", path)[1]
