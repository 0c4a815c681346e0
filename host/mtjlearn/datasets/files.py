"""Reads the user's own files: CSV, NPZ and Parquet."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjlearn.datasets.categories import Column, encode
from mtjlearn.datasets.cells import check_numbers, check_targets, refuse, shorten
from mtjlearn.datasets.columns import Columns, choose, choose_inputs, index_columns
from mtjlearn.datasets.csv_file import read_csv
from mtjlearn.datasets.dataset import DatasetError, Table, Task
from mtjlearn.datasets.limits import MOST_BYTES, check_table
from mtjlearn.errors import install_extra
from mtjlearn.npz import NpzError, ObjectsError, read_npz

_ALL = Columns()
_WITHOUT_OBJECTS = {
    "x": "save the numbers, x.astype(float)",
    "y": "save the labels as texts, y.astype(str), or numbers with y.astype(float)",
}

MOST_LABEL = 1000
"""Bytes of a text in a Parquet file, at most."""
_MOST_EXACT = 2**53
_BATCH = 4096
"""Rows that are read at once."""


def read_file(path: Path, target: str | int | None, task: Task | None, columns: Columns = _ALL) -> Table:
    """Reads a file by its suffix.

    Raises:
        DatasetError: as :func:`mtjlearn.datasets.load` says.
    """
    suffix = path.suffix.lower()
    try:
        found = path.stat()
        if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
            raise DatasetError(f"{path} is a pipe or a device, and is read more than once; save what it gives in a file")
        if found.st_size == 0:
            raise DatasetError(f"{path} is empty")
        if suffix in (".csv", ".tsv"):
            return read_csv(path, target, task, columns)
        if suffix == ".npz":
            return _read_npz(path, target, task, columns)
        if suffix in (".parquet", ".pq"):
            return _read_parquet(path, target, task, columns)
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror or error}") from None
    except MemoryError:
        raise DatasetError(f"{path} does not fit into this computer's memory; keep fewer rows or columns") from None
    raise DatasetError(f"{path} has a format that cannot be read; save it as .csv, .npz or .parquet")


def _read_npz(path: Path, target: str | int | None, task: Task | None, wanted: Columns) -> Table:
    if target is not None:
        raise DatasetError(f"{path} has its targets in the array y; omit --target")
    try:
        content = read_npz(path)
    except ObjectsError as error:
        raise DatasetError(f"{path}: {error}; {_WITHOUT_OBJECTS.get(error.name, 'omit it')}") from None
    except NpzError as error:
        raise DatasetError(f"{path} is damaged or not an NPZ file of plain arrays ({error}); write it with numpy.savez") from None
    if {"x", "y"} - content.keys():
        raise DatasetError(f"{path} needs arrays x and y; it holds {', '.join(sorted(content)) or 'nothing'}")
    x, y = content["x"], content["y"]
    if x.ndim != 2 or x.dtype.kind not in "biuf" or 0 in x.shape:
        raise DatasetError(f"{path}: x must be numbers of shape (samples, inputs), not {x.dtype} of shape {x.shape}")
    if y.ndim not in (1, 2) or y.shape[0] != x.shape[0] or 0 in y.shape:
        raise DatasetError(f"{path}: y of shape {y.shape} does not fit {x.shape[0]} samples; use (samples,)")
    if wanted.categorical:
        raise DatasetError(f"{path} holds numbers alone; omit --categorical, or save the columns as .csv or .parquet")
    names = tuple(f"x{column + 1}" for column in range(x.shape[1]))
    inputs, _ = choose_inputs(path, names, wanted)
    names = tuple(names[column] for column in inputs)
    features = check_numbers(path, x.astype(np.float64)[:, inputs], names)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.dtype.kind == "U" and y.ndim == 1:
        cells = tuple(cell.strip() for cell in y.tolist())
        targets = check_targets(path, range(1, y.size + 1), "y", cells, task)
        return Table(path.stem, features, names, targets, ("y",), written=cells)
    if y.dtype.kind not in "biuf":
        advice = "; save y.astype(str)" if y.dtype.kind in "SUMm" and y.ndim == 1 else ""
        raise DatasetError(
            f"{path}: y must be numbers or text, not {y.dtype}{f' of shape {y.shape}' if y.ndim > 1 else ''}{advice}"
        )
    columns = y.reshape(y.shape[0], -1).astype(np.float64)
    target_names = ("y",) if columns.shape[1] == 1 else tuple(f"y{column + 1}" for column in range(columns.shape[1]))
    checked = check_numbers(path, columns, target_names)
    return Table(path.stem, features, names, checked, target_names, written=_exact_texts(y))


def _exact_texts(values: NDArray[Any]) -> tuple[str, ...] | None:
    """Integers as texts, as float64 does not hold all of them; None for anything else."""
    return tuple(map(str, values.tolist())) if values.dtype.kind in "iu" and values.ndim == 1 else None


def read_parquet_columns(path: Path) -> tuple[list[str], Callable[[int], NDArray[Any]]]:
    """The names of a Parquet file's columns, and a function that gives one of them, float64 or text, shape (rows,).

    Raises:
        DatasetError: it cannot be read, or holds what no column of a dataset can be.
    """
    table = _parquet_table(path)
    names = [str(name) for name in table.column_names]
    return names, lambda column: _parquet_column(path, names[column], table.column(column))


def _parquet_table(path: Path) -> Any:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise DatasetError(f"reading {path} needs pyarrow; run: {install_extra('parquet')}") from None
    try:
        with parquet.ParquetFile(path) as file:
            _check_parquet(path, file)
            return _read_bounded(path, file)
    except pyarrow.ArrowException as error:
        reason = str(error).partition("\n")[0]
        raise DatasetError(f"{path} is damaged or not a Parquet file ({shorten(reason, 80)}); write it again") from None


def _read_parquet(path: Path, target: str | int | None, task: Task | None, wanted: Columns) -> Table:
    table = _parquet_table(path)
    names = [str(name) for name in table.column_names]
    chosen = choose(path, names, target, wanted, index_columns(names) | _pandas_index(table, names))
    if table.num_rows == 0:
        raise DatasetError(f"{path} has columns and no rows")
    feature_names = [names[column] for column in chosen.inputs]
    features: list[Column] = []
    for index, name in zip(chosen.inputs, feature_names, strict=True):
        values = _parquet_column(path, name, table.column(index))
        if index in chosen.categorical:
            features.append(category_cells(path, name, values))
        elif values.dtype.kind == "U":
            raise DatasetError(
                f"{path}: column {shorten(name)} holds text; if these are categories, name it with --categorical, "
                "else turn it into numbers or exclude it with --drop"
            )
        else:
            features.append(check_numbers(path, values[:, None], [name])[:, 0])
    encoded = encode(path, feature_names, features, range(1, table.num_rows + 1))
    several = len(chosen.targets) > 1
    targets = [
        _parquet_target(path, names[index], table.column(index), "regression" if several else task) for index in chosen.targets
    ]
    return Table(
        path.stem,
        encoded.features,
        encoded.names,
        np.column_stack([values for values, _ in targets]) if several else targets[0][0],
        tuple(names[index] for index in chosen.targets),
        written=None if several else targets[0][1],
        notes=(*chosen.notes, *encoded.notes),
        categories=encoded.categories,
    )


def category_cells(path: Path, name: str, values: NDArray[Any]) -> list[str]:
    """A Parquet column's cells as texts, to compare categories.

    Raises:
        DatasetError: a number is undefined, or so large that float64 does not tell it from the next.
    """
    if values.dtype.kind == "f":
        check_numbers(path, values[:, None], [name])
        large = np.flatnonzero(np.abs(values) >= _MOST_EXACT)
        if large.size:
            refuse(path, int(large[0]) + 1, name, f"is beyond {_MOST_EXACT:,}: save the column as text")
    return [cell.strip() if isinstance(cell, str) else repr(cell) for cell in values.tolist()]


def _parquet_target(path: Path, name: str, column: Any, task: Task | None) -> tuple[NDArray[Any], tuple[str, ...] | None]:
    """A target column: its values as a table has them, and as they are written."""
    values = _parquet_column(path, name, column)
    if values.dtype.kind != "U":
        return check_numbers(path, values[:, None], [name]), _exact_integers(column)
    written = tuple(cell.strip() for cell in values.tolist())
    return check_targets(path, range(1, len(written) + 1), name, written, task), written


def _pandas_index(table: Any, names: list[str]) -> set[int]:
    """Columns that pandas would read as the index, whatever their names."""
    try:
        stated = json.loads(table.schema.metadata[b"pandas"])["index_columns"]
        listed = stated if isinstance(stated, list) else []
        return {names.index(name) for name in listed if isinstance(name, str) and name in names}
    except (KeyError, TypeError, ValueError, RecursionError):
        return set()


def _exact_integers(column: Any) -> tuple[str, ...] | None:
    """Integers as texts, as float64 does not hold all of them; None for anything else."""
    from pyarrow import types

    kind = column.type.value_type if types.is_dictionary(column.type) else column.type
    if not (types.is_integer(kind) or types.is_decimal(kind)):
        return None
    return tuple(map(str, column.to_pylist()))


def _check_parquet(path: Path, file: Any) -> None:
    """What the file reports about itself, before any of its pages is unpacked."""
    groups = (file.metadata.row_group(group) for group in range(file.num_row_groups))
    check_table(path, file.metadata.num_rows, len(file.schema_arrow))
    size = sum(group.total_byte_size for group in groups)
    if size > MOST_BYTES:
        raise DatasetError(f"{path} unpacks to {size:,} bytes, more than {MOST_BYTES:,}; keep fewer rows or columns")
    for field in file.schema_arrow if file.metadata.num_rows else ():
        _check_kind(path, field.name, field.type)


def _read_bounded(path: Path, file: Any) -> Any:
    """The file's table, read in pieces, since a column of few distinct texts unpacks to many times what the file says."""
    import pyarrow

    batches, size = [], 0
    for batch in file.iter_batches(batch_size=_BATCH):
        size += batch.nbytes
        if size > MOST_BYTES:
            raise DatasetError(f"{path} unpacks to more than {MOST_BYTES:,} bytes; keep fewer rows or columns")
        batches.append(batch)
    return pyarrow.Table.from_batches(batches, file.schema_arrow)


def _texts(path: Path, name: str, column: Any) -> NDArray[Any]:
    """A column of text; an array of it has all cells as long as the longest."""
    from pyarrow import compute

    longest = compute.max(compute.binary_length(column.cast("large_string"))).as_py() or 0
    if longest > MOST_LABEL:
        raise DatasetError(f"{path}: column {shorten(name)} has a text of {longest:,} bytes, more than {MOST_LABEL}; shorten it")
    return np.array(column.to_pylist(), dtype=np.str_)


def _parquet_column(path: Path, name: str, column: Any) -> NDArray[Any]:
    """A column as float64 or as text, shape (rows,)."""
    import pyarrow
    from pyarrow import types

    kind = column.type.value_type if types.is_dictionary(column.type) else column.type
    if column.null_count:
        refuse(path, column.is_null().to_pylist().index(True) + 1, name, "is empty")
    if types.is_string(kind) or types.is_large_string(kind):
        return _texts(path, name, column)
    values = column.cast(kind)
    if types.is_boolean(kind):
        values = values.cast(pyarrow.int8())
    return np.asarray(values.cast(pyarrow.float64(), safe=False).to_numpy(), dtype=np.float64)


def _check_kind(path: Path, name: str, kind: Any) -> None:
    from pyarrow import types

    kind = kind.value_type if types.is_dictionary(kind) else kind
    text = types.is_string(kind) or types.is_large_string(kind)
    if not (text or types.is_boolean(kind) or types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)):
        raise DatasetError(f"{path}: column {shorten(name)} holds {kind}; turn it into numbers or remove it")
