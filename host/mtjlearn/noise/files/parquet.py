"""Recordings in Parquet: a file, or a folder or pattern of numbered chunks (``noise_0.pqt``, ``noise_1.pqt``, ...)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjlearn.errors import install_extra
from mtjlearn.noise.files.head import Head
from mtjlearn.noise.files.layouts import Layout, recognise
from mtjlearn.noise.files.stream import Part, RecordingStream, settled_unit
from mtjlearn.noise.files.timeline import Timeline
from mtjlearn.noise.files.units import UNITS
from mtjlearn.noise.recording import RecordingError

Array = NDArray[np.float64]

SUFFIXES = (".pqt", ".parquet")
WILD = "*?["
"""What makes a name a pattern."""
ROWS = 2**18
"""Samples that are read or written at once."""
RATE = b"mtjlearn.rate"
UNIT = b"mtjlearn.unit"


def chunk_files(path: Path) -> list[Path]:
    """The files of a folder or a pattern in the order of their numbers; the file itself if it is one.

    Raises:
        RecordingError: there are none.
        OSError: the file is missing.
    """
    if path.is_file() or not (path.is_dir() or any(mark in path.name for mark in WILD)):
        path.stat()
        return [path]
    if path.is_dir():
        found = [file for file in path.iterdir() if file.suffix.lower() in SUFFIXES]
        if not found:
            raise RecordingError("has no Parquet files (.pqt, .parquet)")
    else:
        found = [file for file in path.parent.glob(path.name) if file.is_file()]
        if not found:
            raise RecordingError("no file matches this pattern")
    return sorted(found, key=lambda file: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", file.name)])


def _missing(files: list[Path]) -> list[bool]:
    """Of each file, whether numbers are missing before its own."""
    numbers = [[int(number) for number in re.findall(r"\d+", file.stem)][-1:] for file in files]
    return [False] + [bool(a) and bool(b) and b[0] != a[0] + 1 for a, b in pairwise(numbers)]


def open_parquet(path: Path, rate: float | None, unit: str | None, column: str | None) -> RecordingStream:
    """Parquet files as a stream of samples; see :func:`mtjlearn.noise.files.open_recording`."""
    files = chunk_files(path)
    if not all(file.suffix.lower() in SUFFIXES for file in files):
        raise RecordingError("a pattern stands for Parquet files (.pqt, .parquet); name any other file itself")
    layouts = [_layout(file, column) for file in files]
    layout, stated = layouts[0]
    for file, other in zip(files, layouts, strict=True):
        if other != layouts[0]:
            raise RecordingError(f"{file.name} has other columns, another unit or another rate than {files[0].name}")
    if layout.unit is not None and unit not in (None, layout.unit):
        raise RecordingError(f"states that its samples are in {layout.unit}; omit --unit")
    first = next(_tables(files[0], layout), np.zeros((0, 1)))
    if not first.size:
        raise RecordingError(f"{files[0].name} holds no samples")
    found = settled_unit(unit or layout.unit, first[:, 0], layout.title)
    scale = 1.0 if found is None else UNITS[found]
    timeline = _timeline(first, layout)
    rates = (timeline.rate, stated, rate)
    notes = [f"numbers are missing before {file.name}: a hole" for file, gap in zip(files, _missing(files), strict=True) if gap]

    def parts() -> Iterator[Part]:
        times = _timeline(first, layout)
        for done, (file, gap) in enumerate(zip(files, _missing(files), strict=True)):
            before = gap
            for table in _tables(file, layout):
                holes = times.holes(table[:, 1] * layout.time_scale) if layout.time is not None else ()
                if before and 0 not in holes:
                    holes = (0, *holes)
                before = False
                yield Part(table[:, 0] * scale, holes, done / len(files))

    name = "Parquet" if len(files) == 1 else f"Parquet in {len(files):,} files"
    shown = None if found is None else "codes" if found == "codes" else "V"
    return RecordingStream(path, name, next((value for value in rates if value is not None), None), shown, parts, notes)


def _timeline(first: Array, layout: Layout) -> Timeline:
    return Timeline(np.zeros(0) if layout.time is None else first[:, 1] * layout.time_scale)


def _opened(file: Path) -> Any:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise RecordingError(f"reading {file.name} needs pyarrow; run: {install_extra('parquet')}") from None
    try:
        return parquet.ParquetFile(file, pre_buffer=False)
    except pyarrow.ArrowException as error:
        raise RecordingError(f"{file.name} is damaged, or not a Parquet file: {_first_line(error)}") from None


def _layout(file: Path, column: str | None) -> tuple[Layout, float | None]:
    """Which columns have the samples and the times, and the rate that the file states."""
    with _opened(file) as opened:
        schema = opened.schema_arrow
    names = [name for name in schema.names if not name.startswith("__index")]
    layout = recognise(Head(",", False, 0, names, rows=[names] if names else []), column)
    metadata = schema.metadata or {}
    found = [layout.value if layout.time is None else layout.time, layout.value]
    for name in {names[place] for place in found}:
        kind = str(schema.field(name).type)
        if not kind.startswith(("int", "uint", "float", "double", "halffloat")):
            raise RecordingError(f"{file.name}: the column {name!r} holds {kind}, not numbers")
    from dataclasses import replace

    stored = metadata.get(UNIT, b"").decode() or layout.unit
    return replace(layout, name="Parquet", unit=stored), float(metadata[RATE]) if RATE in metadata else None


def _tables(file: Path, layout: Layout) -> Iterator[Array]:
    """Samples, and times if there are any, shape (samples, 1 or 2), part by part."""
    import pyarrow

    with _opened(file) as opened:
        names = [name for name in opened.schema_arrow.names if not name.startswith("__index")]
        wanted = [names[layout.value]] + ([] if layout.time is None else [names[layout.time]])
        try:
            for batch in opened.iter_batches(ROWS, columns=wanted):
                columns = [batch.column(name) for name in wanted]
                if any(column.null_count for column in columns):
                    raise RecordingError(f"{file.name} has cells without a value in column {wanted[0]!r}")
                if batch.num_rows:
                    yield np.column_stack([column.to_numpy(zero_copy_only=False).astype(np.float64) for column in columns])
        except (pyarrow.ArrowException, OSError) as error:
            raise RecordingError(f"{file.name} is damaged: {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:120]
