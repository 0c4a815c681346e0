"""The user's own files: what is read, and how trouble is named."""

from __future__ import annotations

import csv
import io
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtjlearn.datasets import DatasetError, limits, load
from mtjlearn.datasets.csv_file import read_csv

GOOD = [[f"{row}.5", str(-row), "ab"[row % 2]] for row in range(12)]


def csv_text(rows, header=("width", "height", "kind"), separator=","):
    return "\n".join(separator.join(row) for row in ([header] if header else []) + rows) + "\n"


def refusal(path, **options):
    with pytest.raises(DatasetError) as error:
        load(path, **{"seed": 0, **options})
    text = str(error.value)
    assert "\n" not in text
    return text.replace(str(path), path.name)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("prefix", ["", "\ufeff", "\n\n"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_csv_is_read_whatever_its_separator_and_line_ends(write, separator, prefix, ending):
    text = prefix + csv_text(GOOD, separator=separator)
    table = read_csv(write(text.replace("\n", ending)), "kind", None)
    np.testing.assert_array_equal(table.features, [[row + 0.5, -row] for row in range(12)])
    assert table.targets.tolist() == ["a", "b"] * 6
    assert table.feature_names == ("width", "height")
    assert table.name == "data"


@pytest.mark.parametrize("target", ["kind", "3", 3])
def test_the_target_is_a_name_or_a_number(write, target):
    dataset = load(write(csv_text(GOOD)), seed=0, target=target)
    assert dataset.classes == ("a", "b")
    assert dataset.target_names == ("kind",)


def test_without_header_the_target_is_a_number(write):
    dataset = load(write(csv_text(GOOD, header=None)), seed=0, target="3")
    assert dataset.x_train.shape[0] + dataset.x_test.shape[0] == 12
    assert dataset.feature_names == ("column 1", "column 2")
    gap = write(csv_text([["1", "", "a"], *GOOD], header=None))
    assert "row 1, column 'column 2' is empty" in refusal(gap, target="3")
    assert load(write(csv_text(GOOD, ("", "", "kind"))), seed=0, target=3).feature_names == ("column 1", "column 2")
    assert "no column names in its first row" in refusal(write(csv_text(GOOD, header=None, separator=";")[2:]), target="x")


def test_a_name_that_looks_like_a_number_goes_before_the_number(write):
    table = read_csv(write("a,b,1\n" + "1,5,3\n" * 10), "1", None)
    assert table.target_names == ("1",)
    assert read_csv(write("a,b,1\n" + "1,5,3\n" * 10), 1, None).target_names == ("a",)


def with_cell(cell, row=4, column=0):
    rows = [list(cells) for cells in GOOD]
    rows[row][column] = cell
    return csv_text(rows)


@pytest.mark.parametrize(
    ("cell", "what"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ("nan", "is not a number (NaN)"),
        ("-inf", "is infinite"),
        ("1e999", "is infinite"),
        ("1e150", "is too large: 1e+150"),
        ("tall", "is not a number: 'tall'"),
        ("1_000", "is not a number: '1_000'"),
        ("0x10", "is not a number: '0x10'"),
        ("x" * 99, "is not a number: '" + "x" * 39 + "…'"),
    ],
)
def test_a_bad_cell_is_named_by_line_and_column(write, cell, what):
    text = refusal(write(with_cell(cell)), target="kind")
    assert text == f"data.csv: row 6, column 'width' {what}; correct the cell or remove the row"


@pytest.mark.parametrize(("cell", "what"), [("", "is empty"), ("NaN", "is not a number (NaN)"), ("inf", "is infinite")])
def test_a_bad_target_is_named_too(write, cell, what):
    assert f"row 6, column 'kind' {what}" in refusal(write(with_cell(cell, column=2)), target="kind")


def test_text_among_fractions_is_a_mistake_not_a_class(write):
    rows = [[str(index), f"{index}.5"] for index in range(12)]
    rows[4][1] = '"3,5"'
    assert "row 6, column 'b' is not a number: '3,5'" in refusal(write(csv_text(rows, ("a", "b"))), target="b")


def test_text_among_whole_numbers_is_a_class(write):
    rows = [[cells[0], "3b" if index % 2 else "4"] for index, cells in enumerate(GOOD)]
    assert load(write(csv_text(rows, ("a", "b"))), seed=0, target="b").classes == ("3b", "4")
    assert "row 3, column 'b' is not a number" in refusal(write(csv_text(rows, ("a", "b"))), target="b", task="regression")


def test_rows_are_counted_as_in_a_text_editor(write):
    text = csv_text(GOOD).splitlines()
    text[3:3] = ["", '"1.0","2.0","a\nlonger\nname"', ""]
    text[9] = text[9].replace(",", ",x")
    lines = "\n".join(text).split("\n")
    number = next(index for index, line in enumerate(lines, 1) if ",x" in line)
    assert f"row {number}, column 'height' is not a number" in refusal(write("\n".join(text)), target="kind")


@pytest.mark.parametrize(
    ("content", "target", "message"),
    [
        ("", "kind", "data.csv is empty"),
        ("\n \n", "kind", "data.csv is empty"),
        ("a,b\n", "b", "has column names and no rows"),
        (csv_text(GOOD), None, "name the column to predict with --target; its columns are width, height, kind"),
        (csv_text(GOOD), "knd", "has no column 'knd'; did you mean 'kind'? its columns are width, height, kind"),
        (csv_text(GOOD), "zzz", "has no column 'zzz'; its columns are width, height, kind"),
        (csv_text(GOOD), "4", "has no column number 4; it has 1 to 3: width, height, kind"),
        (csv_text(GOOD), 0, "has no column number 0"),
        (csv_text(GOOD, ("a", "b", "a")), "b", "has two columns named 'a'; rename one"),
        ("kind\na\nb\n", "kind", "has a single column"),
        (csv_text(GOOD) + "1,2\n", "kind", "row 14 has 2 cells, the first has 3"),
        (csv_text(GOOD) + '1,2,"a\n', "kind", "row 14 is not a CSV"),
        ("é,b\n".encode("latin-1") * 20, "b", "is not text in UTF-8"),
        (csv_text(GOOD).encode("utf-16"), "kind", "is not text in UTF-8"),
        (csv_text(GOOD[:5]), "kind", "has 5 rows; learning needs at least 10"),
        (csv_text([["1", "2", "a"]] * 12), "kind", "every row of kind is 'a'"),
        (csv_text([["1", "2", "ab"[row % 2]] for row in range(12)]), "kind", "every input is constant"),
    ],
)
def test_files_that_cannot_be_used_are_refused_in_one_line(write, content, target, message):
    assert message in refusal(write(content), target=target)


def test_many_columns_are_listed_shortly(write):
    names = [f"c{index}" for index in range(500)]
    text = refusal(write(csv_text([["1"] * 500] * 12, names)), target="d")
    assert text.endswith("c18, c19 and 480 more")


cells = st.floats(-1e100, 1e100).map(repr) | st.integers(-(10**20), 10**20).map(str)
labels = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=8)


@pytest.mark.thorough
@given(
    st.lists(st.tuples(cells, cells), min_size=1, max_size=8),
    st.lists(labels, min_size=3, max_size=3, unique_by=str.strip).filter(lambda names: all(name.strip() for name in names)),
    st.sampled_from(",;\t"),
    st.sampled_from(["\n", "\r\n"]),
)
@settings(deadline=None)
def test_what_a_csv_writer_wrote_is_read_back(tmp_path_factory, rows, names, separator, ending):
    # The separator is guessed from the first line, so names hold none of the others.
    names = [f"n{name}".translate({ord(mark): "_" for mark in ",;\t"}) for name in names]
    if len({name.strip() for name in names}) < 3:
        return
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=separator, lineterminator=ending)
    writer.writerow(names)
    writer.writerows((*row, "7") for row in rows)
    path = tmp_path_factory.mktemp("csv") / "f.csv"
    path.write_bytes(buffer.getvalue().encode())
    table = read_csv(path, 3, None)
    assert table.feature_names == tuple(name.strip() for name in names[:2])
    np.testing.assert_array_equal(table.features, [[float(cell) for cell in row] for row in rows])
    np.testing.assert_array_equal(table.targets, 7.0)


@pytest.mark.thorough
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
@settings(deadline=None, max_examples=300)
@pytest.mark.parametrize("suffix", ["csv", "npz", "parquet"])
def test_any_bytes_load_or_are_refused_in_one_line(tmp_path_factory, suffix, content):
    path = tmp_path_factory.mktemp("any") / f"f.{suffix}"
    path.write_bytes(content)
    with pytest.raises(DatasetError) as error:
        load(path, seed=0, target=None if suffix == "npz" else 1)
    assert "\n" not in str(error.value)


def test_paths_that_are_no_files(tmp_path, write):
    assert "there is no file" in refusal(tmp_path / "missing.csv")
    assert "has a format that cannot be read" in refusal(write("x", "data.xlsx"))
    (tmp_path / "folder.csv").mkdir()
    assert "cannot be read: Is a directory" in refusal(tmp_path / "folder.csv")


def npz(tmp_path, **arrays):
    path = tmp_path / "data.npz"
    np.savez(path, **arrays)
    return path


def test_npz_with_text_classes_and_with_several_targets(tmp_path):
    x = np.arange(40, dtype=np.int16).reshape(20, 2)
    text = load(npz(tmp_path, x=x, y=np.array(["u", "v"] * 10)), seed=0)
    assert text.classes == ("u", "v")
    several = load(npz(tmp_path, x=x, y=x * 0.5), seed=0)
    assert several.y_train.shape == (16, 2)
    assert several.target_names == ("y1", "y2")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"a": np.zeros(3)}, "needs arrays x and y; it holds a"),
        (
            {"x": np.zeros(3), "y": np.zeros(3)},
            "x must be numbers of shape (samples, inputs), not float64 of shape (3,)",
        ),
        ({"x": np.zeros((3, 0)), "y": np.zeros(3)}, "x must be numbers"),
        ({"x": np.array([["a"]]), "y": np.zeros(1)}, "x must be numbers"),
        ({"x": np.zeros((3, 2)), "y": np.zeros(4)}, "y of shape (4,) does not fit 3 samples"),
        ({"x": np.zeros((3, 2)), "y": np.zeros(3, dtype=complex)}, "y must be numbers or text, not complex128"),
        ({"x": np.array([[1.0, 2], [3, np.nan]]), "y": np.zeros(2)}, "row 2, column 'x2' is not a number (NaN)"),
        ({"x": np.ones((2, 2)), "y": np.array([1.0, np.inf])}, "row 2, column 'y' is infinite"),
        ({"x": np.ones((2, 2)), "y": np.array(["a", ""])}, "row 2, column 'y' is empty"),
        ({"x": np.ones((2, 2)), "y": np.array([object(), None])}, "the array y holds Python objects"),
    ],
)
def test_npz_arrays_that_do_not_fit_are_refused(tmp_path, arrays, message):
    assert message in refusal(npz(tmp_path, **arrays))


def test_npz_takes_no_target_and_a_torn_one_is_refused(tmp_path):
    path = npz(tmp_path, x=np.arange(40.0).reshape(20, 2), y=np.arange(20.0))
    assert "omit --target" in refusal(path, target="y")
    content = path.read_bytes()
    for length in range(1, len(content), 37):
        path.write_bytes(content[:length])
        assert "is damaged or not an NPZ file" in refusal(path)
    with open(path, "wb") as file:
        np.save(file, np.zeros(3))
    assert "is damaged or not an NPZ file" in refusal(path)


@pytest.fixture
def parquet(tmp_path):
    arrow = pytest.importorskip("pyarrow", reason="install mtjlearn[parquet]")
    from pyarrow import parquet as writer

    def write(**columns):
        path = tmp_path / "data.parquet"
        writer.write_table(arrow.table(columns), path)
        return path

    return write


def test_parquet_reads_numbers_booleans_and_text(parquet):
    import pyarrow

    path = parquet(
        a=[float(row) for row in range(12)],
        b=[row % 3 == 0 for row in range(12)],
        c=pyarrow.array(["u", "v"] * 6).dictionary_encode(),
    )
    dataset = load(path, seed=0, target="c")
    assert dataset.classes == ("u", "v")
    assert dataset.feature_names == ("a", "b")
    plain = parquet(a=[row + 0.5 for row in range(12)], b=[row % 3 == 0 for row in range(12)])
    assert load(plain, seed=0, target="a").task == "regression"
    assert load(plain, seed=0, target=2).classes == ("0", "1")


def test_parquet_cells_and_columns_are_refused_by_name(parquet):
    import datetime

    good = [float(row) for row in range(12)]
    assert "row 3, column 'a' is empty" in refusal(parquet(a=[1.0, 2.0, None] * 4, y=good), target="y")
    assert "row 3, column 'a' is not a number (NaN)" in refusal(parquet(a=[1.0, 2.0, np.nan] * 4, y=good), target="y")
    assert "row 2, column 'y' is infinite" in refusal(parquet(a=good, y=[1.0, np.inf] * 6), target="y")
    assert "column 'a' holds text" in refusal(parquet(a=["u"] * 12, y=good), target="y")
    day = [datetime.date(2026, 1, 1)] * 12
    assert "column 'a' holds date32[day]" in refusal(parquet(a=day, y=good), target="y")
    assert "its columns are a, y" in refusal(parquet(a=good, y=good))
    assert "has columns and no rows" in refusal(parquet(a=[], y=[]), target="y")


def test_parquet_without_pyarrow_says_what_to_install(parquet, monkeypatch):
    path = parquet(a=[1.0], y=[2.0])
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert f"{sys.executable} -m pip install 'mtjlearn[parquet]'" in refusal(path, target="y")


def test_a_regression_file_trains_on_standardised_targets(write):
    generator = np.random.default_rng(0)
    rows = [[f"{a:.6f}", f"{b:.6f}", f"{100 + 50 * a - b:.6f}"] for a, b in generator.normal(size=(50, 2))]
    dataset = load(write(csv_text(rows, ("a", "b", "price"))), seed=0, target="price")
    assert dataset.task == "regression"
    assert dataset.target_scaling is not None
    np.testing.assert_allclose(dataset.y_train.std(), 1)
    expected = [[float(rows[row][2])] for row in dataset.test_rows]
    np.testing.assert_allclose(dataset.target_scaling.invert(dataset.y_test), expected)


def test_a_small_parquet_file_that_unpacks_to_much_is_refused(tmp_path, monkeypatch):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    path = tmp_path / "data.parquet"
    rows = 200_000
    same = pyarrow.array(np.zeros(rows))
    parquet.write_table(pyarrow.table({"a": same, "b": same, "y": same}), path)
    assert path.stat().st_size < 10_000
    monkeypatch.setattr(limits, "MOST_BYTES", 3 * 8 * rows - 1)
    with pytest.raises(DatasetError, match=r"unpacks to 4,800,000 bytes, more than 4,799,999; keep fewer rows or columns"):
        load(path, seed=0, target="y")
    monkeypatch.setattr(limits, "MOST_BYTES", 2**31)
    monkeypatch.setattr(limits, "free_memory", lambda: 3 * limits.CELL_BYTES * rows - 1)
    with pytest.raises(DatasetError, match=r"needs about 0\.0 GiB of memory and 0\.0 GiB are free"):
        load(path, seed=0, target="y")


def test_long_texts_and_lists_in_parquet_are_refused_before_they_are_unpacked(tmp_path, monkeypatch):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    path = tmp_path / "data.parquet"
    parquet.write_table(pyarrow.table({"a": list(range(20_000)), "y": ["x" * 1001] * 20_000}), path)
    assert path.stat().st_size < 300_000
    with pytest.raises(DatasetError, match="column 'y' has a text of 1,001 bytes, more than 1000; shorten it"):
        load(path, seed=0, target="y")
    monkeypatch.setattr("mtjlearn.datasets.files.MOST_BYTES", 10_000_000)
    with pytest.raises(DatasetError, match="unpacks to more than 10,000,000 bytes"):
        load(path, seed=0, target="y")
    parquet.write_table(pyarrow.table({"a": [[1.0] * 5] * 20, "y": [0, 1] * 10}), path)
    with pytest.raises(DatasetError, match="column 'a' holds list"):
        load(path, seed=0, target="y")


@pytest.mark.parametrize(("heading", "share"), [("a,y", "PLAIN_CSV_BYTES"), ('"a",y', "CSV_BYTES")])
def test_a_csv_file_is_bounded_by_memory(tmp_path, monkeypatch, heading, share):
    path = tmp_path / "data.csv"
    path.write_text(f"{heading}\n" + "1,0\n2,1\n" * 50)
    size = path.stat().st_size * getattr(limits, share)
    monkeypatch.setattr(limits, "free_memory", lambda: size - 1)
    with pytest.raises(DatasetError, match=r"GiB of memory and .* GiB are free; keep fewer rows or columns"):
        load(path, seed=0, target="y")
    for free in (size, None):
        monkeypatch.setattr(limits, "free_memory", lambda free=free: free)
        assert load(path, seed=0, target="y").classes == ("0", "1")


def test_what_the_memory_cannot_hold_after_all_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "data.csv"
    path.write_text("a,y\n" + "1,0\n2,1\n" * 50)

    def full(*_):
        raise MemoryError

    monkeypatch.setattr("mtjlearn.datasets.files.read_csv", full)
    with pytest.raises(DatasetError, match="does not fit into this computer's memory; keep fewer rows or columns"):
        load(path, seed=0, target="y")
