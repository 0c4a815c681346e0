"""The training and the test part of a table: scikit-learn's split for the same seed, without its second of imports.

A run's digest contains its split, so that it must not change with a version of a library. A test compares both.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


def split_rows(samples: int, tests: int, seed: int, labels: Rows | None = None) -> tuple[Rows, Rows]:
    """Rows of both parts, as ``train_test_split(range(samples), test_size=tests, random_state=seed, stratify=labels)``.

    Args:
        samples: rows in all.
        tests: rows of the test part.
        seed: 0 .. 2^32 - 1.
        labels: class of each row, from 0, all of them used; both parts then have the same shares of classes. None: any rows.
    """
    generator = np.random.RandomState(seed)
    if labels is None:
        shuffled = generator.permutation(samples)
        return shuffled[tests:], shuffled[:tests]
    counts = np.bincount(labels)
    members = np.split(np.argsort(labels, kind="stable"), np.cumsum(counts)[:-1])
    learned = _shares(counts, samples - tests, generator)
    tested = _shares(counts - learned, tests, generator)
    parts: tuple[list[Rows], list[Rows]] = [], []
    for rows, count, first, second in zip(members, counts, learned, tested, strict=True):
        shuffled = rows[generator.permutation(count)]
        parts[0].append(shuffled[:first])
        parts[1].append(shuffled[first : first + second])
    train, test = (generator.permutation(np.concatenate(part)) for part in parts)
    return train, test


def _shares(counts: Rows, draws: int, generator: np.random.RandomState) -> Rows:
    """How many of each class are among this many rows: its share rounded down, and one more where most was cut off."""
    exact = counts / counts.sum() * draws
    whole = np.floor(exact)
    missing = int(draws - whole.sum())
    cut = exact - whole
    for value in np.sort(np.unique(cut))[::-1] if missing > 0 else ():
        (classes,) = np.where(cut == value)
        added = min(len(classes), missing)
        whole[generator.choice(classes, size=added, replace=False)] += 1
        missing -= added
        if not missing:
            break
    rounded: Rows = whole.astype(np.int64)
    return rounded
