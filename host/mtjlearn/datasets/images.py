"""An image set as a dataset: pixels from 0 to 1, scaled with one mean and deviation for each colour.

The pixels stay bytes until they are scaled, and become float32 then: 60,000 images of 784 pixels take 188 MB.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtjlearn import interruption
from mtjlearn.datasets.dataset import FLOOR, Dataset, DatasetError, Scale, Scaling
from mtjlearn.datasets.download import Progress
from mtjlearn.datasets.image_files import Pixels, read_images
from mtjlearn.datasets.image_sets import IMAGE_SETS, ImageSet
from mtjlearn.datasets.limits import check_memory

WHITE = 255
"""The largest pixel; it is 1.0."""
Channels = tuple[Sequence[float], Sequence[float]]
"""Mean and deviation of each channel, of pixels from 0 to 1."""

_CHUNK = 4096
_HIDDEN = (32,)


def load_images(
    name: str,
    *,
    seed: int,
    scale: Scale = "global",
    channels: Channels | None = None,
    data_dir: Path | None = None,
    samples: int | None = None,
    pool: int = 1,
    progress: Progress | None = None,
) -> Dataset:
    """Loads an image set. Its training and test part are those that it is published with.

    Args:
        name: one of :data:`mtjlearn.datasets.IMAGES`.
        seed: is noted; nothing depends on it.
        scale: of the inputs; fitted on the training images.
        channels: mean and deviation of each channel; None: those of the training images.
        data_dir: folder of the files; None: see :func:`mtjlearn.datasets.image_files.read_images`.
        samples: of the training part, the first; None: all.
        pool: the mean of this many times this many pixels is one; what is left at the right and the bottom is not used.
        progress: of a download.

    Raises:
        DatasetError: as :func:`mtjlearn.datasets.load`.
    """
    images = IMAGE_SETS[name]
    pixels = _first(images, read_images(images, data_dir, progress), samples)
    if pool != 1:
        images, pixels = _pooled(images, pixels, pool)
    values = pixels.x_train.size + pixels.x_test.size
    check_memory(Path(name), 4 * values)
    scaling = _scaling(images, pixels.x_train, scale, channels)
    if not scaling.std.any():
        raise DatasetError(f"{name}: every pixel is constant; there is nothing to learn from")
    inputs = math.prod(images.shape)
    return Dataset(
        name=name,
        task="classification",
        x_train=_apply(scaling, pixels.x_train),
        x_test=_apply(scaling, pixels.x_test),
        y_train=pixels.y_train.astype(np.int64),
        y_test=pixels.y_test.astype(np.int64),
        train_rows=np.arange(len(pixels.x_train)),
        test_rows=np.arange(len(pixels.x_test)),
        feature_names=tuple(f"pixel {number + 1}" for number in range(inputs)),
        target_names=("class",),
        classes=images.classes,
        input_scaling=scaling,
        target_scaling=None,
        hidden=_HIDDEN,
        seed=seed,
        notes=_notes(images, pixels, samples, scaling),
        digest=_digest(images, pixels, scaling),
        scale=scale,
        shape=images.shape,
    )


def _first(images: ImageSet, pixels: Pixels, samples: int | None) -> Pixels:
    if samples is None:
        return pixels
    if samples > len(pixels.x_train):
        raise DatasetError(f"{images.name} has {len(pixels.x_train):,} training images; --samples {samples} is more")
    return Pixels(pixels.x_train[:samples], pixels.y_train[:samples], pixels.x_test, pixels.y_test)


def _pooled(images: ImageSet, pixels: Pixels, pool: int) -> tuple[ImageSet, Pixels]:
    channels, height, width = images.shape
    if not 1 <= pool <= min(height, width):
        raise DatasetError(f"{images.name} has {height} x {width} pixels; --pool {pool} leaves none: use 1 .. {min(height, width)}")
    rows, columns = height // pool, width // pool

    def means(flat: NDArray[np.uint8]) -> NDArray[np.uint8]:
        whole = flat.reshape(-1, channels, height, width)[:, :, : rows * pool, : columns * pool]
        blocks = whole.reshape(len(flat), channels, rows, pool, columns, pool)
        sums = blocks.sum(axis=(3, 5), dtype=np.uint32)
        rounded: NDArray[np.uint8] = ((sums + pool * pool // 2) // (pool * pool)).astype(np.uint8)
        return rounded.reshape(len(flat), -1)

    small = Pixels(means(pixels.x_train), pixels.y_train, means(pixels.x_test), pixels.y_test)
    return replace(images, shape=(channels, rows, columns)), small


def _notes(images: ImageSet, pixels: Pixels, samples: int | None, scaling: Scaling) -> tuple[str, ...]:
    notes = []
    counts = ((pixels.x_train, images.train, "training"), (pixels.x_test, images.test, "test"))
    for found, published, part in counts:
        if len(found) != published and not (part == "training" and samples is not None):
            notes.append(f"{images.name} has {len(found):,} {part} images here; the published set has {published:,}")
    constant = int(scaling.constant.sum())
    if constant:
        which = "1 pixel is" if constant == 1 else f"{constant} pixels are"
        notes.append(f"{which} constant in the training part and counted as 0")
    return tuple(notes)


def _scaling(images: ImageSet, pixels: NDArray[np.uint8], scale: Scale, channels: Channels | None) -> Scaling:
    count = pixels.shape[1] // images.shape[0]
    if channels is not None:
        if scale != "global":
            raise DatasetError(f"means and deviations of channels go with one scale for all, not with --scale {scale}")
        mean, std = (np.array(values, dtype=np.float64) for values in channels)
        if mean.shape != (images.shape[0],) or std.shape != mean.shape or not (np.isfinite(mean).all() and (std > 0).all()):
            raise DatasetError(f"{images.name} needs a mean and a positive deviation for each of its {images.shape[0]} channels")
        return Scaling(np.repeat(mean, count), np.repeat(std, count))
    if scale == "none":
        return Scaling(np.zeros(pixels.shape[1]), np.ones(pixels.shape[1]))
    sums, squares = _sums(pixels)
    group = count if scale == "global" else 1
    groups = [slice(at, at + group) for at in range(0, len(sums), group)]
    pairs = [_moments(sum(sums[part]), sum(squares[part]), group * len(pixels)) for part in groups]
    mean, std = np.repeat(np.array(pairs), group, axis=0).T
    return Scaling(mean, np.where(std > 0, np.maximum(std, FLOOR), 0.0) if scale == "floor" else std)


def _sums(pixels: NDArray[np.uint8]) -> tuple[list[int], list[int]]:
    """Sum and sum of squares of each column, exact."""
    sums = np.zeros(pixels.shape[1], dtype=np.int64)
    squares = np.zeros(pixels.shape[1], dtype=np.int64)
    for start in range(0, len(pixels), _CHUNK):
        interruption.check()
        part = pixels[start : start + _CHUNK].astype(np.int32)
        sums += part.sum(axis=0)
        squares += np.square(part).sum(axis=0)
    return sums.tolist(), squares.tolist()


def _moments(total: int, squares: int, count: int) -> tuple[float, float]:
    """Mean and deviation of pixels from 0 to 1; the whole numbers are exact, so that a constant column has deviation 0."""
    return total / (count * WHITE), math.sqrt(count * squares - total * total) / (count * WHITE)


def _apply(scaling: Scaling, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Pixels from 0 to 1, scaled."""
    scaled = np.empty(pixels.shape, dtype=np.float32)
    for start in range(0, len(pixels), _CHUNK):
        interruption.check()
        part = slice(start, start + _CHUNK)
        scaled[part] = scaling.apply(pixels[part] / WHITE)
    return scaled


def _digest(images: ImageSet, pixels: Pixels, scaling: Scaling) -> str:
    """SHA-256 over classes, pixels, labels and scaling, in hexadecimal: where the files are does not matter."""
    scales = [[round(value, 12) for value in values.tolist()] for values in (scaling.mean, scaling.std)]
    found = hashlib.sha256(json.dumps([images.classes, images.shape, pixels.x_train.shape, pixels.x_test.shape, scales]).encode())
    for array in (pixels.x_train, pixels.y_train, pixels.x_test, pixels.y_test):
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()
