"""Loads a dataset by name or path: classes or numbers, split, standardisation."""

from __future__ import annotations

import difflib
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjlearn.datasets import builtin
from mtjlearn.datasets.cells import list_names, shorten
from mtjlearn.datasets.columns import Columns
from mtjlearn.datasets.dataset import SCALES, Dataset, DatasetError, Scale, Scaling, Table, Task
from mtjlearn.datasets.digest import digest
from mtjlearn.datasets.download import Progress
from mtjlearn.datasets.files import read_file
from mtjlearn.datasets.image_sets import IMAGES
from mtjlearn.datasets.images import Channels, load_images
from mtjlearn.datasets.labels import classes_of, from_one_hot, guess_task
from mtjlearn.datasets.split import split_rows
from mtjlearn.datasets.suspicions import suspicions
from mtjlearn.network import Loss

MIN_ROWS = 10
"""Fewer samples than these cannot be split into a training and a test part that mean anything."""
_Rows = NDArray[np.int64]
_ALL = Columns()
NAMES = (*builtin.BUILTIN, *IMAGES)
"""Names of all data that are known by name."""


def load(
    name_or_path: str | Path,
    *,
    seed: int,
    target: str | int | None = None,
    task: Task | None = None,
    loss: Loss | None = None,
    test_fraction: float = 0.2,
    teacher_sizes: tuple[int, ...] = (2, 2, 2, 1),
    columns: Columns = _ALL,
    scale: Scale | None = None,
    data_dir: str | Path | None = None,
    samples: int | None = None,
    channels: Channels | None = None,
    pool: int = 1,
    progress: Progress | None = None,
) -> Dataset:
    """Loads, splits and scales a dataset.

    A built-in name (:data:`BUILTIN`), an image set (:data:`IMAGES`), or a file: CSV with column names in its first row (see
    :mod:`mtjlearn.datasets.csv_file`), Parquet, or NPZ with arrays ``x`` of shape (samples, inputs) and ``y`` of shape
    (samples,) or, for a regression, (samples, targets). Pickled data is never loaded.

    Text targets are classes, and so are whole numbers with few distinct values (at most 20, and five samples for each);
    other numbers are a regression's. One-hot columns of an NPZ file are classes. ``task`` decides otherwise. Classes are
    sorted: numbers by value, text by letter.

    Columns that pandas wrote as an index are ignored. What looks like a mistake is in the dataset's notes: a column that
    counts the rows, a value such as -999, an outlier, a constant column.

    The split depends on the seed alone and keeps the shares of classes. Inputs, and a regression's targets, are
    standardised with mean and deviation of the training part. XOR has no split: its four patterns are both parts,
    repeated in the training part. Image sets have the split that they are published with, and are looked for as
    :func:`mtjlearn.datasets.image_files.read_images` says.

    Args:
        name_or_path: name of a built-in dataset or an image set, or path of a file.
        seed: of the split and of the teacher, 0 .. 2^32 - 1.
        target: the target column of a CSV or Parquet file: its name, or its number counted from 1; several for a regression
            are joined by commas.
        task: classification or regression; None: seen from the targets.
        loss: cross-entropy implies classification.
        test_fraction: share of samples kept for testing, between 0 and 1.
        teacher_sizes: inputs and layers of the teacher.
        columns: which columns of a file are inputs.
        scale: of the inputs: ``column``: each column its own mean and deviation; ``global``: one for all columns, of
            images one for each colour; ``none``: inputs as they are, pixels from 0 to 1; ``floor``, of images: each pixel its
            own, with a deviation of at least a tenth of full scale. None: global for images, else column.
        data_dir: folder of an image set's files.
        samples: the first ones of the training part that are kept, after the split; None: all.
        channels: mean and deviation of each colour of images with pixels from 0 to 1; None: those of the training part.
        pool: of images: the mean of this many times this many pixels is one input.
        progress: of a download: called with a file's name, the bytes that are here, and its size.

    Raises:
        DatasetError: unknown name, unreadable or empty file, no such target column, a cell that is empty, no number,
            NaN or infinite, too few rows, a single class, cross-entropy for a regression.
    """
    if not 0 <= seed < 2**32:
        raise DatasetError(f"seed {seed} is outside 0 .. 4294967295")
    if not 0 < test_fraction < 1:
        raise DatasetError(f"the test fraction {test_fraction} is outside 0 .. 1")
    if task == "regression" and loss is Loss.CROSS_ENTROPY:
        raise DatasetError("cross-entropy needs classes; use the squared loss for a regression")
    if task is None and loss is Loss.CROSS_ENTROPY:
        task = "classification"
    if scale is not None and scale not in SCALES:
        raise DatasetError(f"there is no scale {scale}; use column, global, none or floor")
    if samples is not None and samples < 1:
        raise DatasetError(f"--samples {samples} leaves nothing to learn from; give at least 1")
    name = str(name_or_path)
    if name in IMAGES:
        _refuse_table_options(name, target, task, columns)
        folder = None if data_dir is None else Path(data_dir)
        return load_images(
            name,
            seed=seed,
            scale=scale or "global",
            channels=channels,
            data_dir=folder,
            samples=samples,
            pool=pool,
            progress=progress,
        )
    if data_dir is not None or channels is not None or pool != 1 or scale == "floor":
        own = (("--data-dir", data_dir is not None), ("channels", channels is not None), ("--pool", pool != 1))
        option = next((named for named, given in own if given), "--scale floor")
        raise DatasetError(f"{option} is for image sets ({', '.join(IMAGES)}), which {name} is not; omit it")
    if name in builtin.BUILTIN:
        if target is not None:
            raise DatasetError(f"{name} is built in and knows its target; omit --target")
        if columns.drop or columns.features or columns.categorical:
            raise DatasetError(f"{name} is built in; omit --drop, --features and --categorical")
        table = builtin.table(name, seed, teacher_sizes)
    else:
        path = Path(name_or_path)
        if not path.exists():
            close = difflib.get_close_matches(name.lower(), NAMES, 1)
            hint = f"; did you mean {close[0]}?" if close else ""
            known = f"built in: {', '.join(builtin.BUILTIN)}; image sets: {', '.join(IMAGES)}"
            raise DatasetError(f"there is no file {name} and no such dataset{hint} ({known})")
        table = read_file(path, target, task, columns)
        if task != "regression":
            table = from_one_hot(table)
    if task is None:
        task = guess_task(table)
    labels, classes, notes = classes_of(table) if task == "classification" else (None, None, [])
    if labels is None:
        _check_regression(table)
    if name not in builtin.BUILTIN:
        notes = [*notes, *suspicions(table, regression=labels is None)]
    table = replace(table, notes=(*table.notes, *notes))
    if name == "xor":
        test = np.arange(4)
        train = np.tile(test, builtin.XOR_REPEATS)
    else:
        train, test = _split(table, labels, classes, test_fraction, seed)
    if samples is not None and samples > len(train):
        raise DatasetError(f"{table.name} has {len(train):,} training samples; --samples {samples} is more")
    return _prepare(table, task, labels, classes, train[:samples], test, seed, scale or "column")


def _refuse_table_options(name: str, target: str | int | None, task: Task | None, columns: Columns) -> None:
    if target is not None or columns.drop or columns.features or columns.categorical:
        raise DatasetError(f"{name} is an image set and knows its classes; omit --target, --drop, --features and --categorical")
    if task == "regression":
        raise DatasetError(f"{name} has classes; omit --task regression")


def _check_regression(table: Table) -> None:
    if table.targets.dtype.kind == "U":
        raise DatasetError(f"{table.name}: {table.target} holds text; a regression needs numbers")
    constant = np.flatnonzero(table.targets.min(axis=0) == table.targets.max(axis=0))
    if constant.size and table.written is not None and len(set(table.written)) > 1:
        raise DatasetError(f"{table.name}: the numbers of {table.target} are too large and too close; subtract a constant")
    if constant.size:
        raise DatasetError(f"{table.name}: {table.target_names[constant[0]]} is the same in every row")


def _split(
    table: Table, labels: _Rows | None, classes: tuple[str, ...] | None, test_fraction: float, seed: int
) -> tuple[_Rows, _Rows]:
    samples = table.features.shape[0]
    if samples < MIN_ROWS:
        raise DatasetError(f"{table.name} has {samples} rows; learning needs at least {MIN_ROWS}")
    tests = math.ceil(test_fraction * samples)
    if tests >= samples:
        raise DatasetError(f"with a test fraction of {test_fraction}, none of {samples} rows is left for training")
    if labels is not None and classes is not None:
        counts = np.bincount(labels)
        rare = [shorten(classes[index]) for index in np.flatnonzero(counts < 2)]
        if rare:
            raise DatasetError(
                f"{table.name}: only one row has the class {list_names(rare, 5)} of {table.target}; "
                "add rows, merge classes, or choose regression with --task regression"
            )
        if min(tests, samples - tests) < len(classes):
            raise DatasetError(
                f"{table.name}: {samples} rows split into {samples - tests} and {tests} cannot show all {len(classes)} "
                "classes in both parts; add rows or change the test fraction"
            )
    return split_rows(samples, tests, seed, labels)


def _prepare(
    table: Table,
    task: Task,
    labels: _Rows | None,
    classes: tuple[str, ...] | None,
    train: _Rows,
    test: _Rows,
    seed: int,
    scale: Scale,
) -> Dataset:
    input_scaling = Scaling.fit(table.features[train], scale)
    target_scaling = None
    if labels is not None:
        targets: NDArray[Any] = labels
    else:
        target_scaling = Scaling.fit(table.targets[train])
        if target_scaling.constant.any():
            raise DatasetError(f"{table.name}: {table.target} is constant in the training part; try another seed")
        targets = target_scaling.apply(table.targets)
    scaled = input_scaling.apply(table.features)
    constant = [shorten(table.feature_names[index]) for index in np.flatnonzero(input_scaling.constant)]
    notes = list(table.notes)
    if len(constant) == table.features.shape[1]:
        raise DatasetError(f"{table.name}: every input is constant; there is nothing to learn from")
    if constant:
        verb = "is" if len(constant) == 1 else "are"
        notes.append(f"{list_names(constant, 5)} {verb} constant in the training part and counted as 0")
    inputs = table.features.shape[1]
    return Dataset(
        name=table.name,
        task=task,
        x_train=scaled[train],
        x_test=scaled[test],
        y_train=targets[train],
        y_test=targets[test],
        train_rows=train,
        test_rows=test,
        feature_names=table.feature_names,
        target_names=table.target_names,
        classes=classes,
        input_scaling=input_scaling,
        target_scaling=target_scaling,
        hidden=table.hidden if table.hidden is not None else ((8,) if inputs <= 32 else (32,)),
        seed=seed,
        notes=tuple(notes),
        digest=digest(table, classes, table.targets if labels is None else labels, (train, test), scale),
        scale=scale,
        categories=table.categories,
    )
