"""What is read in bulk, or split without scikit-learn, is what the slow way gives: the same tables, refusals, and rows."""

from __future__ import annotations

import os
import random

import numpy as np
import pytest
from sklearn.model_selection import train_test_split

from mtjlearn.datasets import Columns, DatasetError, csv_file, csv_plain, load
from mtjlearn.datasets.csv_file import read_csv
from mtjlearn.datasets.split import split_rows

CELLS = [
    "", " ", "1_0", "_", "nan", "-inf", "1e999", "1e101", "abc", "a b", "1,5", '"2"', '"', "#", "# x", "0x10", "\u0661", "1.",
    ".5e1", " 3 ", "\u00a04", "007", "1e0", "True", "\0", "\t", "V", "1,2,3", "9" * 30,
]  # fmt: skip
"""Numbers that Python reads, some that it does not, and what a separator or a quotation mark makes of a row."""


def outcome(path, target, task, columns):
    """The table, or the refusal's text."""
    try:
        table = read_csv(path, target, task, columns)
    except DatasetError as error:
        return str(error)
    written = table.written
    if written is not None and table.targets.dtype.kind == "f" and not (table.targets == np.rint(table.targets)).all():
        written = None if task != "classification" else written  # a regression's texts do not matter
    numbers = [table.features.tobytes(), table.targets.tolist(), table.feature_names, table.target_names, written]
    return [*numbers, list(table.rows), table.notes, table.categories]


def both(monkeypatch, path, target, task, columns):
    fast = outcome(path, target, task, columns)
    with monkeypatch.context() as context:
        context.setattr(csv_file, "read_plain", lambda path: None)
        return fast, outcome(path, target, task, columns)


def table_of(generator, kind):
    rows = [[f"{generator.uniform(-5, 5):.4g}" for _ in range(3)] for _ in range(14)]
    for number, row in enumerate(rows):
        row.append({"words": "ab"[number % 2], "whole": str(number % 3), "fractions": f"{number / 4}", "constant": "0.5"}[kind])
        row.insert(0, "xyz"[number % 3])
    return [["c", "f1", "f_2", "f3", "y"], *rows]


@pytest.mark.parametrize("kind", ["words", "whole", "fractions", "constant"])
@pytest.mark.parametrize("columns", [Columns(categorical=("c",)), Columns(drop=("c",))], ids=["category", "dropped"])
def test_bulk_and_cells_agree_whatever_stands_in_a_cell(write, monkeypatch, kind, columns):
    generator = random.Random(f"{kind} {columns.drop}")
    in_bulk = 0
    for number in range(60):
        rows = table_of(generator, kind)
        for _ in range(generator.choice([0, 1, 1, 2])):
            rows[generator.randrange(15)][generator.randrange(5)] = generator.choice(CELLS)
        if generator.random() < 0.2:
            rows.insert(generator.randrange(16), generator.choice([[""], ["", "", "", "", ""], ["# note"], ["1"], rows[3] + [""]]))
        separator = generator.choice([",", ",", ";", "\t"])
        text = "\n".join(separator.join(row) for row in rows) + generator.choice(["", "\n", "\n\n", "\r\n \n"])
        path = write(text, f"data{number}.csv")
        task = generator.choice([None, None, "classification", "regression"])
        target = generator.choice(["y", "5", "f3,y" if task == "regression" else "y"])
        fast, slow = both(monkeypatch, path, target, task, columns)
        assert fast == slow, text
        in_bulk += isinstance(slow, list)
    assert in_bulk > 10, "hardly a file was read"


def test_a_plain_file_is_read_in_bulk_and_once(write, monkeypatch):
    monkeypatch.setattr(csv_file, "read_layout", lambda path: pytest.fail("read cell by cell"))
    monkeypatch.setattr("mtjlearn.datasets.csv_plain._ROWS", 7)
    rows = [(number / 8, -number, number % 2) for number in range(50)]
    path = write("\n\na,b,y\n" + "\n".join(",".join(map(str, row)) for row in rows) + "\n\n \n")
    table = read_csv(path, "y", None)
    np.testing.assert_array_equal(table.features, np.array(rows)[:, :2])
    assert table.written == tuple(str(row[2]) for row in rows)
    assert list(table.rows) == list(range(4, 54))
    assert read_csv(path, "a", None).written is None
    assert load(path, seed=0, target="y").classes == ("0", "1")


def test_a_file_that_changes_to_texts_or_ends_in_no_text_is_refused_as_ever(write, monkeypatch):
    monkeypatch.setattr("mtjlearn.datasets.csv_plain._ROWS", 10)
    plain = "a,y\n" + "1,0.5\n" * 25
    for more in ("2,word\n", "x,1.5\n", "1\n", "1,2,3\n", b"\xff,1\n", "1,\n", "1,nan\n"):
        content = plain.encode() + (more if isinstance(more, bytes) else more.encode())
        fast, slow = both(monkeypatch, write(content), "y", None, Columns())
        assert fast == slow
        assert isinstance(fast, str)


def test_a_text_before_the_first_fraction_is_refused_as_ever(write, monkeypatch):
    monkeypatch.setattr("mtjlearn.datasets.csv_plain._ROWS", 10)
    for text in ("1_0", "word", "1e999"):
        path = write(f"a,y\n1,{text}\n" + "1,2\n" * 20 + "1,0.5\n" * 20)
        fast, slow = both(monkeypatch, path, "y", None, Columns())
        assert fast == slow
        assert "row 2, column 'y'" in fast


def test_no_cell_of_the_targets_is_read_as_a_number_more_than_twice(write, monkeypatch):
    monkeypatch.setattr("mtjlearn.datasets.csv_plain._ROWS", 10)
    seen = []
    monkeypatch.setattr(csv_plain, "_numbers", lambda cells, read=csv_plain._numbers: seen.append(len(cells)) or read(cells))
    for last in ("3", "0.5"):
        seen.clear()
        read_csv(write("a,y\n" + "1,2\n" * 400 + f"1,{last}\n"), "y", None)
        assert sum(seen) <= 3 * 401, "the inputs once"


@pytest.mark.parametrize("seed", [0, 7, 2**32 - 1])
@pytest.mark.parametrize("classes", [0, 2, 5])
def test_the_split_is_that_of_scikit_learn(classes, seed):
    for samples in (40, 41, 150, 997):
        for tests in (classes or 1, 10, samples // 3):
            labels = None
            if classes:
                odds = np.arange(1, classes + 1)
                drawn = np.random.default_rng(seed).choice(classes, samples - 2 * classes, p=odds / odds.sum())
                labels = np.concatenate([drawn, np.repeat(np.arange(classes), 2)])
            expected = train_test_split(np.arange(samples), test_size=tests, random_state=seed, stratify=labels)
            for found, wanted in zip(split_rows(samples, tests, seed, labels), expected, strict=True):
                np.testing.assert_array_equal(found, wanted)
                assert found.dtype == np.int64


def test_a_file_that_is_replaced_behind_its_heading_is_read_as_the_new_one(write, monkeypatch):
    path = write("a,b,y\n" + "1,2,0.5\n3,4,1.5\n" * 10)

    def replaced(path):
        plain = csv_plain.read_plain(path)
        path.write_text("y,a,b\n" + "0.5,5,6\n1.5,7,8\n" * 10)
        return plain

    monkeypatch.setattr(csv_file, "read_plain", replaced)
    table = csv_file.read_csv(path, "y", None)
    assert (table.feature_names, table.features[:2].tolist()) == (("a", "b"), [[5, 6], [7, 8]])
    assert table.targets[:2].tolist() == [[0.5], [1.5]]


@pytest.mark.skipif(os.name != "posix", reason="makes a named pipe")
@pytest.mark.parametrize("suffix", ["csv", "npz", "parquet"])
def test_a_pipe_is_refused_as_one(tmp_path, suffix):
    os.mkfifo(tmp_path / f"pipe.{suffix}")
    with pytest.raises(DatasetError, match="is a pipe or a device"):
        load(tmp_path / f"pipe.{suffix}", seed=0)
