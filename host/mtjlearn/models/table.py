"""Predictions as a table: one row for each sample, with names and units of the data."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from mtjlearn.models.model import ModelError
from mtjlearn.models.predict import Predictions
from mtjlearn.runs.storage import describe, write_atomic


class Writer(Protocol):
    """What text is written to: a file, or a terminal."""

    def write(self, text: str, /) -> int:
        """See :class:`typing.TextIO`."""


def heading(predictions: Predictions) -> list[str]:
    """The columns: ``prediction`` and ``score_<class>``, or ``prediction``, or one ``prediction_<target>`` for each of several."""
    model = predictions.model
    if model.classes is not None:
        return ["prediction", *(f"score_{name}" for name in model.classes)]
    return ["prediction"] if len(model.targets) == 1 else [f"prediction_{name}" for name in model.targets]


def rows(predictions: Predictions) -> Iterator[list[str | float]]:
    """The cells of each sample."""
    if predictions.model.classes is None:
        yield from predictions.values.tolist()
        return
    for name, scores in zip(predictions.values, predictions.scores.tolist(), strict=True):
        yield [str(name), *scores]


def write_csv(predictions: Predictions, file: Writer) -> None:
    """Writes the table, its heading first; numbers have as many digits as make them whole again."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(heading(predictions))
    writer.writerows(rows(predictions))


def save_csv(predictions: Predictions, path: Path) -> None:
    """Writes the table to a file.

    Raises:
        ModelError: it cannot be written.
    """
    text = io.StringIO()
    write_csv(predictions, text)
    try:
        write_atomic(path, text.getvalue().encode())
    except OSError as error:
        raise ModelError(describe(path, error)) from None
