"""Columns of categories become inputs, several columns become targets; and files to predict for are read the same way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mtjlearn.datasets import Category, Columns, DatasetError, load, read_features
from mtjlearn.datasets.categories import columns_of
from mtjlearn.models import Model, ModelError, read_model, write_model
from mtjlearn.network import Network

COLOURS = ("red", "green", "blue")


def table(rows: int = 24) -> list[dict[str, str]]:
    rng = np.random.default_rng(1)
    return [
        {
            "width": f"{rng.normal():.3f}",
            "colour": COLOURS[number % 3],
            "kind": ("1", "1.0", "01")[number % 3] if number % 2 else "2",
            "heat": f"{rng.normal():.3f}",
            "force": f"{rng.normal():.3f}",
        }
        for number in range(rows)
    ]


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_column_becomes_an_input_for_each_category(tmp_path: Path) -> None:
    rows = table()
    file = write(tmp_path / "some.csv", rows)
    data = load(file, seed=0, target="heat", columns=Columns(categorical=("colour",), drop=("kind",)))
    assert data.feature_names == ("width", "colour=blue", "colour=green", "colour=red", "force")
    assert data.categories == (Category("colour", ("blue", "green", "red"), 1),)
    values = data.input_scaling.invert(data.x_train)[:, 1:4]
    expected = [[row["colour"] == name for name in ("blue", "green", "red")] for row in np.array(rows)[data.train_rows]]
    np.testing.assert_allclose(values, expected, atol=1e-12)
    assert any("'colour' has 3 categories, each an input: 'blue', 'green', 'red'" in note for note in data.notes)
    assert not any("squeezes" in note for note in data.notes)


def test_equal_numbers_are_one_category_and_codes_are_not(tmp_path: Path) -> None:
    data = load(write(tmp_path / "some.csv", table()), seed=0, target="5", columns=Columns(("colour",), categorical=("3",)))
    assert data.categories == (Category("kind", ("01", "1", "2"), 1),)


def test_several_targets(tmp_path: Path) -> None:
    file = write(tmp_path / "some.csv", table())
    data = load(file, seed=0, target="force, 4", columns=Columns(drop=("colour", "kind")))
    assert (data.target_names, data.feature_names, data.task) == (("force", "heat"), ("width",), "regression")
    assert data.y_train.shape[1] == 2
    rows = table()
    first = [float(rows[data.test_rows[0]][name]) for name in ("force", "heat")]
    assert data.target_scaling is not None
    np.testing.assert_allclose(data.target_scaling.invert(data.y_test)[0], first)


def test_one_hot_targets_are_classes_with_the_columns_names(tmp_path: Path) -> None:
    rows = [{"x": str(number), "cat": str(number % 2), "dog": str(1 - number % 2)} for number in range(20)]
    file = write(tmp_path / "pets.csv", rows)
    data = load(file, seed=0, target="cat,dog")
    assert data.classes == ("cat", "dog")
    assert [data.classes[label] for label in data.y_test] == ["cat" if row % 2 else "dog" for row in data.test_rows]
    assert load(file, seed=0, target="cat,dog", task="regression").target_names == ("cat", "dog")


def test_a_file_without_names_has_several_targets_by_number(tmp_path: Path) -> None:
    file = tmp_path / "bare.csv"
    file.write_text("".join(f"{number},{number * 0.5},{-number}\n" for number in range(12)))
    assert load(file, seed=0, target="2,3").target_names == ("column 2", "column 3")


@pytest.mark.parametrize(
    ("columns", "target", "said"),
    [
        (Columns(("kind",)), "heat", "column 'colour' is not a number in any row: 'blue', 'green', 'red'; if these are categories"),
        (Columns(categorical=("colour", "heat")), "heat", "'heat' is in --categorical and not an input"),
        (Columns(("colour",), categorical=("colour",)), "heat", "not an input; remove it from there"),
        (Columns(categorical=("shape",)), "heat", "no column 'shape'"),
        (Columns(categorical=("colour", "width")), "heat", "has 40 categories, and at most 32 become inputs"),
        (Columns(categorical=("colour",)), "heat,heat", "names 'heat' twice"),
        (Columns(categorical=("colour",)), "heat,cold", "no column 'cold'"),
        (Columns(categorical=("colour",)), "heat,colour", "is in --categorical and not an input"),
        (Columns(), "width,colour,kind,heat,force", "every column is a target"),
        (Columns(("kind",)), "heat,colour", "column 'colour' is not a number: 'red'"),
        (Columns(("force",), categorical=("colour",)), "heat,force", "'force' is a target; remove it from --drop"),
    ],
)
def test_what_cannot_be(tmp_path: Path, columns: Columns, target: str, said: str) -> None:
    file = write(tmp_path / "some.csv", table(40))
    with pytest.raises(DatasetError) as error:
        load(file, seed=0, target=target, columns=columns)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_an_empty_cell_and_a_column_that_is_named_like_an_input_are_refused(tmp_path: Path) -> None:
    rows = table()
    rows[3]["colour"] = ""
    with pytest.raises(DatasetError, match="row 5, column 'colour' is empty"):
        load(write(tmp_path / "gap.csv", rows), seed=0, target="heat", columns=Columns(("kind",), categorical=("colour",)))
    rows = [{**row, "colour=red": "1"} for row in table()]
    with pytest.raises(DatasetError, match="two inputs would be named 'colour=red'"):
        load(write(tmp_path / "two.csv", rows), seed=0, target="heat", columns=Columns(("kind",), categorical=("colour",)))
    np.savez(tmp_path / "numbers.npz", x=np.zeros((20, 2)), y=np.zeros(20))
    with pytest.raises(DatasetError, match="holds numbers alone"):
        load(tmp_path / "numbers.npz", seed=0, columns=Columns(categorical=("x1",)))


def test_parquet_has_categories_and_several_targets_too(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    rows = table()
    frame = pandas.DataFrame(rows).astype({"width": float, "heat": float, "force": float})
    frame["kind"] = [number % 3 for number in range(len(rows))]
    frame.to_parquet(tmp_path / "some.parquet", index=False)
    columns = Columns(categorical=("colour,kind",))
    data = load(tmp_path / "some.parquet", seed=0, target="heat,force", columns=columns)
    assert [category.values for category in data.categories] == [("blue", "green", "red"), ("0", "1", "2")]
    found = read_features(tmp_path / "some.parquet", data.feature_names, data.categories)
    np.testing.assert_allclose(found.values[data.test_rows], data.input_scaling.invert(data.x_test), atol=1e-12)


@pytest.mark.parametrize(
    ("cell", "what"),
    [(float("nan"), r"row 4, column 'kind' is not a number \(NaN\)"), (2**53 + 1, "row 4, column 'kind' is beyond")],
)
def test_numbers_in_parquet_that_are_missing_or_run_together_are_no_categories(tmp_path: Path, cell: float, what: str) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    kinds = pyarrow.array([1, 2, 3, cell] * 6, type=pyarrow.int64() if isinstance(cell, int) else pyarrow.float64())
    heat = np.linspace(0, 1, 24)
    parquet.write_table(pyarrow.table({"kind": kinds, "width": heat, "heat": heat}), tmp_path / "some.parquet")
    with pytest.raises(DatasetError, match=what):
        load(tmp_path / "some.parquet", seed=0, target="heat", columns=Columns(categorical=("kind",)))
    with pytest.raises(DatasetError, match=what):
        read_features(tmp_path / "some.parquet", ("kind=1", "kind=2", "width"), (Category("kind", ("1", "2"), 0),))


def test_rows_to_predict_for_are_read_in_any_order_of_columns(tmp_path: Path) -> None:
    rows = table()
    data = load(write(tmp_path / "some.csv", rows), seed=0, target="heat", columns=Columns(categorical=("colour", "kind")))
    assert columns_of(data.feature_names, data.categories) == ["width", "colour", "kind", "force"]
    turned = write(tmp_path / "turned.csv", [dict(reversed(row.items())) for row in rows])
    found = read_features(turned, data.feature_names, data.categories)
    np.testing.assert_allclose(found.values[data.test_rows], data.input_scaling.invert(data.x_test), atol=1e-12)
    rows[4]["colour"] = "purple"
    with pytest.raises(DatasetError, match=r"row 6, column 'colour' is 'purple', which was not learned; known are 'blue', 'green'"):
        read_features(write(turned, rows), data.feature_names, data.categories)
    rows[4]["colour"] = ""
    with pytest.raises(DatasetError, match="row 6, column 'colour' is empty"):
        read_features(write(turned, rows), data.feature_names, data.categories)
    without = [{name: cell for name, cell in row.items() if name != "colour"} for row in rows]
    with pytest.raises(DatasetError, match="has no column 'colour'"):
        read_features(write(turned, without), data.feature_names, data.categories)


def test_a_models_file_keeps_categories_in_a_format_of_its_own(tmp_path: Path) -> None:
    data = load(write(tmp_path / "some.csv", table()), seed=0, target="heat", columns=Columns(categorical=("colour", "kind")))
    network = Network((data.inputs, 1))
    model = Model.of(network, [np.zeros((1, data.inputs + 1), np.int16)], [], data, {})
    write_model(model, tmp_path / "model.npz")
    assert read_model(tmp_path / "model.npz").categories == data.categories
    assert "format = 2" in (tmp_path / "model.toml").read_text()
    with pytest.raises(ModelError, match="are not those of its inputs"):
        Model(
            network, model.weights, (), model.inputs, model.input_scaling, model.targets, None, model.target_scaling,
            categories=(Category("colour", ("blue", "green", "reed"), 1),),
        )  # fmt: skip
