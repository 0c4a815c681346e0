"""Files as instruments, spreadsheets and libraries write them: read as they are meant, or refused with the true cause."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from places import CASES

from mtjlearn.datasets import Columns, DatasetError, load
from mtjlearn.datasets.csv_file import read_csv
from mtjlearn.datasets.files import read_file
from mtjlearn.npz import NpzError, read_npy

ROWS = [(f"{row}.5", f"{(row * 7) % 12 / 4 + 0.25}", "ab"[row % 2]) for row in range(12)]
PLAIN = "f1,f2,y\n" + "\n".join(",".join(row) for row in ROWS) + "\n"


def refusal(path, **options):
    with pytest.raises(DatasetError) as error:
        load(path, **{"seed": 0, **options})
    text = str(error.value)
    assert "\n" not in text
    return text.replace(str(path), path.name)


def lines_of(text):
    return text.splitlines(keepends=True)


# --- what stands around the numbers ---

SEMICOLONS = PLAIN.replace(",", ";")
LAYOUTS = {
    "comments": "# logger v1, 2024\n# it's 5\" wide\n\n" + PLAIN,
    "comments behind": PLAIN + "# end, of log\n",
    "comment between": "".join([*lines_of(PLAIN)[:4], "# paused\n", *lines_of(PLAIN)[4:]]),
    "the heading is a comment": "# made by numpy\n# " + PLAIN,
    "heading behind a bare #": "#" + PLAIN,
    "separator line": "sep=;\n" + SEMICOLONS,
    "separator line in quotes": '"sep=;"\r\n' + SEMICOLONS.replace("\n", "\r\n"),
    "any separator, if named": "SEP=|\n" + PLAIN.replace(",", "|"),
    "separator and comment": "# x\nsep=;\n" + SEMICOLONS,
    "byte order mark": "\ufeff# x\n" + PLAIN,
    "old line ends": ("# x\n" + PLAIN).replace("\n", "\r"),
    "last separators": PLAIN.replace("\n", ",\n"),
    "last separators in rows only": lines_of(PLAIN)[0] + "".join(lines_of(PLAIN)[1:]).replace("\n", ",\n"),
    "last separator in the heading only": PLAIN.replace("\n", ",\n", 1),
    "two last separators": PLAIN.replace("\n", ",,\n"),
    "quoted": PLAIN.replace("f1", '"f1"').replace("a\n", '"a"\n'),
    "commas in quoted names": SEMICOLONS.replace("f1;f2", '"f1";"f2"'),
    "decimal commas": SEMICOLONS.replace(".", ","),
    "decimal commas and tabs": PLAIN.replace(",", "\t").replace(".", ","),
    "units": "".join([lines_of(PLAIN)[0], "V,mm,-\n", *lines_of(PLAIN)[1:]]),
    "units in brackets": "".join([lines_of(PLAIN)[0], "[m/s2],(%),\n", *lines_of(PLAIN)[1:]]),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_same_table_however_it_is_laid_out(write, layout):
    expected = read_csv(write(PLAIN, "plain.csv"), "y", None)
    path = write(LAYOUTS[layout])
    table = read_csv(path, "y", None)
    assert (table.feature_names, table.targets.tolist()) == (("f1", "f2"), expected.targets.tolist())
    np.testing.assert_array_equal(table.features, expected.features)
    text = LAYOUTS[layout].replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for sample, line in enumerate(table.rows):
        assert text[line - 1].lstrip('"').startswith((f"{sample}.5", f"{sample},5")), "rows are numbered as in an editor"


def test_what_was_read_in_another_way_is_said(write):
    assert read_csv(write(LAYOUTS["decimal commas"]), "y", None).notes == ("numbers have a decimal comma: '0,5' is read as 0.5",)
    assert read_csv(write(LAYOUTS["units"]), "y", None).notes == ("row 2 holds units (V, mm) and is ignored",)
    assert load(CASES / "decimal_comma.csv", seed=0, target="y").digest == load(CASES / "comments.csv", seed=0, target="y").digest


def test_units_are_not_taken_for_missing_values_nor_the_other_way_round(write):
    first, *rest = lines_of(PLAIN)
    for missing in ("NA,NA,a\n", "?,?,a\n", "-,,a\n"):
        assert "row 2, column 'f1'" in refusal(write(first + missing + "".join(rest)), target="y")
    assert "row 2, column 'f1' is not a number: 'V'" in refusal(write(first + "V,2,a\n" + "".join(rest)), target="y")
    assert "row 2, column 'f1' is not a number: 'V'" in refusal(write(first + "V,mm,-\n" * 2 + "".join(rest)), target="y")


@pytest.mark.parametrize(
    ("cell", "others", "cause"),
    [
        ("1,500", "2,250", "the comma may be a decimal one or separate thousands"),
        ("0,5", "2.5", "write all numbers of the file with a decimal point"),
        ("1.234,5", "0,5", "write all numbers of the file with a decimal point"),
        ("1,234,567", "0,5", "the comma may be a decimal one or separate thousands"),
    ],
)
def test_commas_that_may_mean_two_things_are_refused_with_the_reason(write, cell, others, cause):
    rows = [f"{others};1;{'ab'[row % 2]}" for row in range(12)]
    text = refusal(write("\n".join(["f1;f2;y", f"{cell};1;a", *rows])), target="y")
    assert "row 2, column 'f1' is not a number" in text
    assert cause in text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("# only\n# comments\n", "data.csv is empty"),
        ("sep=;\n", "data.csv is empty"),
        ("sep=;", "data.csv is empty"),
        ('sep="\n' + PLAIN, "has a single column"),
        ("# x\n" + PLAIN + '1,2,"a\n', "row 15 is not a CSV"),
        ("# x\n" + PLAIN.replace("3.5", "tall"), "row 6, column 'f1' is not a number: 'tall'"),
        (PLAIN.replace("3.5,", "# 3.5,"), "row 5, column 'f1' is not a number: '# 3.5'"),
        (PLAIN.replace("f1,f2", "f1"), "has 2 column names, but every row has 3 cells; add the missing name"),
        (PLAIN.replace("3.5,", ","), "row 5, column 'f1' is empty"),
        (PLAIN.replace("b\n", "\n"), "row 3, column 'y' is empty"),
    ],
)
def test_the_true_cause_is_said_with_the_row_of_the_file(write, content, message):
    assert message in refusal(write(content), target="y")


# --- which columns are inputs ---


@pytest.mark.parametrize("heading", ["", '""', "Unnamed: 0", "Unnamed: 0.1", "__index_level_0__"])
def test_an_index_is_left_out_and_the_note_says_so(write, heading):
    text = "\n".join(f"{heading if row == 0 else row - 1},{line}" for row, line in enumerate(PLAIN.splitlines()))
    dataset = load(write(text), seed=0, target="y")
    assert dataset.feature_names == ("f1", "f2")
    assert len([note for note in dataset.notes if "column 1 (" in note and "is an index and is ignored" in note]) == 1
    # It comes back if it is named, as an input or as the target.
    kept = load(write(text), seed=0, target="y", columns=Columns(features=("1", "f2")))
    assert kept.feature_names[1:] == ("f2",)
    assert not any("ignored" in note for note in kept.notes)
    assert load(write(text), seed=0, target=1, columns=Columns(drop=("y",))).task == "regression"


def test_the_index_of_pandas_explains_nothing_any_more():
    dataset = load(CASES / "pandas_index.csv", seed=0, target="label")
    assert dataset.feature_names == ("f1", "f2")
    assert "column 1 (without a heading) is an index and is ignored" in dataset.notes[0]


def test_an_index_beside_a_single_input(write):
    text = "".join(f"{',f1,y' if row == 0 else f'{row},{row * row % 7}.5,' + 'ab'[row % 2]}\n" for row in range(13))
    assert load(write(text), seed=0, target="y").feature_names == ("f1",)


def test_two_levels_of_an_index_and_an_unnamed_column_in_the_middle(write):
    rows = "".join(f"{row},{row // 2},{line}" for row, line in enumerate(lines_of(PLAIN)[1:]))
    assert load(write(",,f1,f2,y\n" + rows), seed=0, target="y").feature_names == ("f1", "f2")
    middle = load(write("f0,,f1,f2,y\n" + rows), seed=0, target="y")
    assert middle.feature_names == ("f0", "column 2", "f1", "f2")
    assert any("'f0' counts the rows" in note for note in middle.notes)


@pytest.mark.parametrize("numbers", [range(12), range(1, 13), range(12, 0, -1), [3, 1, 2, 0, *range(4, 12)]])
def test_a_column_that_counts_the_rows_is_pointed_out(write, numbers):
    text = "".join(f"{'id' if row == 0 else list(numbers)[row - 1]},{line}" for row, line in enumerate(lines_of(PLAIN)))
    dataset = load(write(text), seed=0, target="y")
    assert dataset.feature_names == ("id", "f1", "f2")
    assert next(note for note in dataset.notes if "counts the rows" in note).endswith("omit it with --drop id")
    assert not load(write(text), seed=0, target="y", columns=Columns(drop=("id",))).notes
    assert not load(write(text.replace("\n", "\n1", 1)), seed=0, target="y", columns=Columns(features=("f1", "f2"))).notes


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        (Columns(drop=("f1",)), ("f2", "b,c")),
        (Columns(drop=("f1,f2",)), ("b,c",)),
        (Columns(drop=("f1", "2")), ("b,c",)),
        (Columns(drop=("b,c",)), ("f1", "f2")),
        (Columns(features=("f2,f1",)), ("f1", "f2")),
        (Columns(features=("2", "b,c")), ("f2", "b,c")),
        (Columns(features=("f1", "f2"), drop=("b,c",)), ("f1", "f2")),
    ],
)
def test_columns_are_chosen_by_name_by_number_or_as_a_list(write, columns, names):
    text = 'f1,f2,"b,c",y\n' + "".join(f"{row}.5,{row * row % 7}.5,{row % 5}.5,{'ab'[row % 2]}\n" for row in range(12))
    assert load(write(text), seed=0, target="y", columns=columns).feature_names == names


def test_a_column_of_text_may_be_dropped(write):
    text = "".join(f"{'name' if row == 0 else f'A-{row}'},{line}" for row, line in enumerate(lines_of(PLAIN)))
    assert "row 2, column 'name' is not a number: 'A-1'" in refusal(write(text), target="y")
    assert load(write(text), seed=0, target="y", columns=Columns(drop=("name",))).feature_names == ("f1", "f2")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (Columns(drop=("f22",)), "has no column 'f22'; did you mean 'f2'? its columns are f1, f2, y"),
        (Columns(features=("9",)), "has no column number 9"),
        (Columns(drop=("y",)), "'y' is the target; remove it from --drop"),
        (Columns(features=("y", "f1")), "'y' is the target; remove it from --features"),
        (Columns(features=("f1",), drop=("f1",)), "'f1' is in --features and in --drop"),
        (Columns(drop=("f1,f2",)), "no input remains of its columns f1, f2, y"),
        (Columns(drop=("",)), "has no column ''"),
    ],
)
def test_columns_that_cannot_be_chosen_are_refused(write, columns, message):
    assert message in refusal(write(PLAIN), target="y", columns=columns)


def test_columns_of_arrays_and_of_built_in_data(tmp_path):
    np.savez(tmp_path / "d.npz", x=np.random.default_rng(0).normal(size=(20, 3)), y=np.arange(20) % 2)
    assert load(tmp_path / "d.npz", seed=0, columns=Columns(drop=("x2",))).feature_names == ("x1", "x3")
    assert load(tmp_path / "d.npz", seed=0, columns=Columns(features=("3,1",))).feature_names == ("x1", "x3")
    with pytest.raises(DatasetError, match="iris is built in; omit --drop, --features and --categorical"):
        load("iris", seed=0, columns=Columns(drop=("1",)))


# --- labels ---


def labelled(write, labels, **options):
    rows = [f"{row * row % 11}.5,{label}" for row, label in enumerate(labels)]
    return load(write("\n".join(["f1,y", *rows])), seed=0, target="y", **options)


BIG = [2**53, 2**53 + 1, 2**53 + 2]


def test_labels_beyond_the_integers_of_float64_stay_apart(write, tmp_path):
    names = tuple(map(str, BIG))
    assert load(CASES / "bigint.csv", seed=0, target="device").classes == names
    negative = [-(10**30), -(10**30) - 1, 10**30]
    assert labelled(write, negative * 10).classes == (str(-(10**30) - 1), str(-(10**30)), str(10**30))
    x = np.random.default_rng(0).normal(size=(30, 2))
    for dtype in (np.int64, np.uint64):
        np.savez(tmp_path / "d.npz", x=x, y=np.array(BIG * 10, dtype=dtype))
        dataset = load(tmp_path / "d.npz", seed=0)
        assert dataset.classes == names
        assert [dataset.classes[label] for label in dataset.y_test] == [names[row % 3] for row in dataset.test_rows]
    arrow = pytest.importorskip("pyarrow", reason="install mtjlearn[parquet]")
    from pyarrow import parquet

    whole = arrow.array(BIG * 10)
    for column in (whole, whole.cast(arrow.uint64()), whole.cast(arrow.decimal128(30)), whole.dictionary_encode()):
        parquet.write_table(arrow.table({"a": x[:, 0], "y": column}), tmp_path / "d.parquet")
        assert load(tmp_path / "d.parquet", seed=0, target="y").classes == names


def test_many_numbers_beyond_float64_are_not_taken_for_few_classes(write):
    assert labelled(write, [2**53 + row for row in range(40)]).task == "regression"
    with pytest.raises(DatasetError, match="the numbers of y are too large and too close; subtract a constant"):
        labelled(write, [2**60 + row for row in range(100)])


def test_codes_with_leading_zeros_stay_apart_and_it_is_said():
    dataset = load(CASES / "labels_zero.csv", seed=0, target="y")
    assert dataset.classes == ("01", "1", "1.0")
    assert dataset.notes == ("'01', '1', '1.0' of y are different classes, though the same number",)


def test_a_number_written_in_two_ways_is_one_class_and_it_is_said(write):
    dataset = labelled(write, ["1", "1.0", "+1", "2", "2", "2e0"] * 5)
    assert dataset.classes == ("1", "2")
    assert dataset.notes == (
        "'+1', '1', '1.0' of y are the same number and one class",
        "'2', '2e0' of y are the same number and one class",
    )
    assert labelled(write, ["08", "9", "10"] * 10).classes == ("08", "9", "10")
    assert labelled(write, ["-1.5", "0.50", "0.5"] * 10, task="classification").classes == ("-1.5", "0.5")
    assert labelled(write, ["1e-99", "1e99"] * 10, task="classification").classes == ("1E-99", str(10**99))
    assert labelled(write, ["a\0", "a"] * 10).classes == ("a", "a\0")


def test_one_hot_targets_are_classes(tmp_path):
    x, labels = np.random.default_rng(0).normal(size=(30, 2)), np.arange(30) % 3
    for kind in (float, int, bool):
        np.savez(tmp_path / "d.npz", x=x, y=np.eye(3)[labels].astype(kind))
        dataset = load(tmp_path / "d.npz", seed=0)
        assert (dataset.task, dataset.classes) == ("classification", ("0", "1", "2"))
        np.testing.assert_array_equal(dataset.y_train, labels[dataset.train_rows])
        assert "the 3 target columns are one-hot: classes 0 to 2" in dataset.notes[0]
        assert load(tmp_path / "d.npz", seed=0, task="regression").y_train.shape == (24, 3)
    np.savez(tmp_path / "d.npz", x=x, y=np.eye(3)[labels] + np.eye(3)[labels[::-1]])
    assert load(tmp_path / "d.npz", seed=0).task == "regression"


def test_one_hot_columns_beside_the_target_give_it_away(write):
    rows = "".join(f"{row * row % 11}.5,{int(row % 3 == 0)},{int(row % 3 == 1)},{int(row % 3 == 2)}\n" for row in range(30))
    dataset = load(write("f1,is_a,is_b,is_c\n" + rows), seed=0, target="is_b")
    assert dataset.notes == ("'is_a', 'is_c' and is_b are one-hot, so the inputs give the target away: leave them out with --drop",)
    assert not load(write("f1,is_a,is_b,is_c\n" + rows), seed=0, target="is_b", columns=Columns(drop=("is_a,is_c",))).notes
    assert not load(write("f1,is_a,is_b,is_c\n" + rows), seed=0, target="is_b", columns=Columns(drop=("is_a",))).notes


# --- values ---


def with_values(write, values, **options):
    rows = [f"{value},{row * row % 11}.5,{'ab'[row % 2]}" for row, value in enumerate(values)]
    return load(write("\n".join(["f1,f2,y", *rows])), seed=0, target="y", **options).notes


NORMAL = np.random.default_rng(3).normal(size=60).round(3).tolist()


def test_an_outlier_is_named_by_row_and_column(write):
    (note,) = load(CASES / "outlier.csv", seed=0, target="y").notes
    assert note.startswith("row 2, column 'f2' is 1e+09 and squeezes the others (-1.817 to 7.648) together")
    for value in (1e9, -1e5, 1e99, 1000.0):
        (note,) = with_values(write, [*NORMAL[:7], value, *NORMAL[7:]])
        assert note.startswith(f"row 9, column 'f1' is {value:g}")
    rows = [f"{row * row % 11}.5,{value}" for row, value in enumerate([*NORMAL, 1e7])]
    (note,) = load(write("\n".join(["f1,y", *rows])), seed=0, target="y").notes
    assert note.startswith("row 62, column 'y' is 1e+07")


@pytest.mark.parametrize(
    "values", [[*NORMAL, 9.0], np.exp(NORMAL), np.exp(2 * np.array(NORMAL)), [0] * 50 + [1] * 10, [0] * 40 + [5] * 20]
)
def test_wide_and_rare_values_are_no_outliers(write, values):
    assert not with_values(write, values)


@pytest.mark.parametrize("sentinel", [-999, -99, 9999, -32768])
def test_a_number_that_stands_for_a_missing_value_is_pointed_out(write, sentinel):
    (note,) = with_values(write, [*NORMAL[:7], sentinel, *NORMAL[7:30], sentinel, *NORMAL[30:]])
    assert note.startswith(f"'f1' is {sentinel} in 2 rows, the first row 9, and ")
    assert "if that stands for a missing value, correct or remove these rows" in note
    (note,) = with_values(write, [*NORMAL, sentinel])
    assert note.startswith(f"'f1' is {sentinel} in row 62, and ")


def test_numbers_that_only_look_like_sentinels_are_not(write):
    assert not with_values(write, np.linspace(0, 99, 60).round(2))
    assert not with_values(write, [99] * 30 + [98] * 30)
    assert not with_values(write, (np.arange(60) * 37 - 999) * 2 / 2 % 1999 - 999)


def test_many_notes_are_cut_short(write):
    names = [f"c{column}" for column in range(9)]
    rows = [
        ",".join([*(str(-999 if row == column else value) for column in range(9)), "ab"[row % 2]])
        for row, value in enumerate(NORMAL)
    ]
    notes = load(write("\n".join([",".join([*names, "y"]), *rows])), seed=0, target="y").notes
    assert len(notes) == 6
    assert notes[-1] == "and 4 notes of this kind more"


# --- arrays and frames ---


def test_arrays_of_objects_are_refused_with_what_to_save_instead(tmp_path):
    assert "the array y holds Python objects, which are never loaded; save the labels as texts, y.astype(str)" in refusal(
        CASES / "obj_labels.npz"
    )
    x, y = np.random.default_rng(0).normal(size=(20, 2)), np.arange(20) % 2
    np.savez(tmp_path / "x.npz", x=x.astype(object), y=y)
    assert refusal(tmp_path / "x.npz").endswith(
        "the array x holds Python objects, which are never loaded; save the numbers, x.astype(float)"
    )
    np.savez(tmp_path / "m.npz", x=x, y=y, meta=np.array({"a": 1}))
    assert refusal(tmp_path / "m.npz").endswith("the array meta holds Python objects, which are never loaded; omit it")
    np.save(tmp_path / "o.npy", x.astype(object))
    with pytest.raises(NpzError, match="it holds Python objects"):
        read_npy(tmp_path / "o.npy")


def test_labels_in_a_column_and_as_bytes(tmp_path):
    x, y = np.random.default_rng(0).normal(size=(20, 2)), np.array(["u", "v"] * 10)
    np.savez(tmp_path / "d.npz", x=x, y=y[:, None])
    assert load(tmp_path / "d.npz", seed=0).classes == ("u", "v")
    np.savez(tmp_path / "d.npz", x=x, y=y.astype(bytes))
    assert refusal(tmp_path / "d.npz") == "data.npz: y must be numbers or text, not |S1; save y.astype(str)".replace("data", "d")
    np.savez(tmp_path / "d.npz", x=x, y=np.stack([y, y], axis=1))
    assert "y must be numbers or text, not <U1 of shape (20, 2)" in refusal(tmp_path / "d.npz")


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        {"index_columns": [{"kind": "range", "start": 0}]},
        {"index_columns": ["day"]},
        {"index_columns": "day"},
        {"index_columns": ["else", 3, None]},
        {},
        [],
        "damaged",
    ],
)
def test_the_index_of_a_data_frame_in_parquet(tmp_path, metadata):
    arrow = pytest.importorskip("pyarrow", reason="install mtjlearn[parquet]")
    from pyarrow import parquet

    table = arrow.table({"a": NORMAL, "y": ["u", "v"] * 30, "day": list(range(60)), "__index_level_0__": list(range(60))})
    if metadata is not None:
        text = metadata if metadata == "damaged" else json.dumps(metadata)
        table = table.replace_schema_metadata({"pandas": text})
    parquet.write_table(table, tmp_path / "d.parquet")
    named = metadata == {"index_columns": ["day"]}
    read = read_file(tmp_path / "d.parquet", "y", None)
    assert read.feature_names == (("a",) if named else ("a", "day"))
    assert [note.partition(" is")[0] for note in read.notes] == ["column 3 ('day')"] * named + ["column 4 ('__index_level_0__')"]
    assert load(tmp_path / "d.parquet", seed=0, target="y", columns=Columns(features=("a",))).notes == ()


def test_every_column_an_index_means_that_none_is(write):
    assert load(write(PLAIN.replace("f1,f2", ",")), seed=0, target="y").feature_names == ("column 1", "column 2")


# --- the digest ---


def test_the_digest_is_of_the_data_not_of_how_they_are_written(write, tmp_path):
    one = load(write(PLAIN), seed=0, target="y").digest
    assert len(one) == 64
    assert load(shutil.copy(write(SEMICOLONS.replace(".", ",")), tmp_path / "else.csv"), seed=0, target="y").digest == one
    assert load(write(PLAIN.replace("3.5", "3.50")), seed=0, target=3).digest == one
    changed = {
        "a value": PLAIN.replace("3.5", "3.5001"),
        "a label": PLAIN.replace("b\n", "a\n", 1),
        "a name": PLAIN.replace("f1", "f3"),
        "a class": PLAIN.replace("b\n", "c\n"),
        "a row less": PLAIN.rpartition("11.5")[0],
        "the order": "".join([*lines_of(PLAIN)[:2], *lines_of(PLAIN)[3:], lines_of(PLAIN)[2]]),
        "a sign": PLAIN.replace("3.5", "-3.5"),
    }
    digests = {load(write(text), seed=0, target="y").digest for text in changed.values()}
    assert len(digests | {one, load(write(PLAIN), seed=1, target="y").digest}) == len(changed) + 2


def test_the_digest_of_computed_data_forgives_the_last_bit(tmp_path):
    x = np.random.default_rng(0).normal(size=(20, 2))
    digests = set()
    for values in (x, np.nextafter(x, 9), x * 1.001):
        np.savez(tmp_path / "d.npz", x=values, y=np.arange(20) % 2)
        digests.add(load(tmp_path / "d.npz", seed=0).digest)
    assert len(digests) == 2
