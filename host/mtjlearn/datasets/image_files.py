"""Where the files of an image set are: a folder that is named, this computer's own, or a cache that they are downloaded into."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtjlearn.datasets.cifar import PIXELS, read_archive, read_plain, read_records
from mtjlearn.datasets.dataset import DatasetError
from mtjlearn.datasets.download import Progress, UnreachableError, download
from mtjlearn.datasets.idx import read_idx
from mtjlearn.datasets.image_sets import IDX_FILES, ImageSet

FOLDER = "MTJLEARN_DATA"
"""Environment variable: a folder of image sets."""
SYSTEM = Path("/usr/share/datasets")
"""Where Debian's packages put data, e.g. dataset-fashion-mnist."""

_Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Pixels:
    """An image set as its files have it.

    Args:
        x_train: shape (samples, channels * rows * columns), channel by channel.
        y_train: classes, shape (samples,).
        x_test: the same of the test part.
        y_test: the same of the test part.
    """

    x_train: _Bytes
    y_train: _Bytes
    x_test: _Bytes
    y_test: _Bytes


def cache_folder() -> Path:
    """Where downloads are kept, by the habits of the system."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
        return Path(base) / "mtjlearn" / "datasets" if base else Path.home() / "AppData" / "Local" / "mtjlearn" / "datasets"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "mtjlearn" / "datasets"
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "mtjlearn" / "datasets"


def read_images(images: ImageSet, data_dir: Path | None, progress: Progress | None = None) -> Pixels:
    """Reads an image set.

    The files are looked for in ``data_dir`` alone if it is given, else in the folder that the environment variable
    :data:`FOLDER` names, in the system's folder :data:`SYSTEM`, and in the cache, each time in it or in a folder of the
    set's name; what is in none is downloaded into the cache.

    Raises:
        DatasetError: the files are missing and cannot be downloaded, or are not what they should be.
    """
    pixels = _find(images, data_dir, progress)
    for part, x, y in (("training", pixels.x_train, pixels.y_train), ("test", pixels.x_test, pixels.y_test)):
        if not len(x):
            raise DatasetError(f"{images.name}: the {part} part has no images; download it again")
        if len(x) != len(y):
            raise DatasetError(f"{images.name}: the {part} part has {len(x):,} images and {len(y):,} labels; download both again")
        wrong = np.flatnonzero(y >= len(images.classes))
        if wrong.size:
            raise DatasetError(
                f"{images.name}: label {y[wrong[0]]} of {part} image {wrong[0] + 1:,} is outside 0 .. {len(images.classes) - 1}; "
                "download it again"
            )
    return pixels


def _find(images: ImageSet, data_dir: Path | None, progress: Progress | None) -> Pixels:
    read = _read_idx if images.format == "idx" else _read_cifar
    if data_dir is not None:
        for folder in _places(images, data_dir):
            if (found := read(images, folder)) is not None:
                return found
        raise DatasetError(f"{data_dir} lacks files of {images.name}; it needs {_needed(images)}")
    named = os.environ.get(FOLDER)
    roots = ([Path(named)] if named else []) + [SYSTEM]
    cache = cache_folder() / images.name
    for folder in [*(folder for root in roots for folder in _places(images, root)), cache]:
        if (found := read(images, folder)) is not None:
            return found
    try:
        for name, file in images.files.items():
            if not (cache / name).exists():
                download(file, cache, progress)
    except UnreachableError as error:
        raise DatasetError(
            f"{images.name} is not on this computer, and cannot be downloaded ({error}); put {_needed(images)} into {cache}, "
            "or name their folder with --data-dir"
        ) from None
    found = read(images, cache)
    if found is None:
        raise DatasetError(f"{cache} changed while {images.name} was downloaded into it; try again")
    return found


def _places(images: ImageSet, root: Path) -> list[Path]:
    return [root / images.name, root]


def _needed(images: ImageSet) -> str:
    names = list(images.files)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _read_idx(images: ImageSet, folder: Path) -> Pixels | None:
    """The set in this folder; None if a file is missing."""
    paths = [_existing(folder, name) for name in IDX_FILES]
    if any(path is None for path in paths):
        return None
    x_train, y_train, x_test, y_test = (read_idx(path, 3 - 2 * (at % 2)) for at, path in enumerate(paths) if path is not None)
    for path, array in ((paths[0], x_train), (paths[2], x_test)):
        if array.shape[1:] != images.shape[1:]:
            found, wanted = (" x ".join(map(str, size)) for size in (array.shape[1:], images.shape[1:]))
            raise DatasetError(f"{path} has images of {found} pixels, and those of {images.name} have {wanted}; use its own files")
    pixels = images.shape[1] * images.shape[2]
    return Pixels(x_train.reshape(-1, pixels), y_train, x_test.reshape(-1, pixels), y_test)


def _existing(folder: Path, name: str) -> Path | None:
    """The file of this name, compressed or not, with the dash or the point that unpacking programs leave."""
    spellings = (name, name.replace("-idx", ".idx"))
    return next((path for spelling in spellings for end in ("", ".gz") if (path := folder / f"{spelling}{end}").is_file()), None)


def _read_cifar(images: ImageSet, folder: Path) -> Pixels | None:
    """The set in this folder, as plain files or in its archive; None if a file is missing."""
    names = [name for part in images.records for name in part]
    archive = folder / next(iter(images.files))
    plain = next((place for place in _unpacked(images, folder) if all((place / name).is_file() for name in names)), None)
    if plain is not None:
        files = dict(zip(names, read_plain([plain / name for name in names]), strict=True))
    elif archive.is_file():
        files = {name: (f"{name} of {archive}", content) for name, content in read_archive(archive, names).items()}
    else:
        return None
    x_train, y_train = read_records([files[name] for name in images.records[0]], images.labels)
    x_test, y_test = read_records([files[name] for name in images.records[1]], images.labels)
    assert x_train.shape[1] == PIXELS
    return Pixels(x_train, y_train, x_test, y_test)


def _unpacked(images: ImageSet, folder: Path) -> list[Path]:
    return [folder, folder / ("cifar-10-batches-bin" if images.name == "cifar10" else "cifar-100-binary")]
