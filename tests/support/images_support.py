"""Small image sets in the published formats, for tests: IDX files as of MNIST, binary files as of CIFAR."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import numpy as np

IDX = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def idx(values: np.ndarray) -> bytes:
    """The content of an IDX file of bytes."""
    return bytes((0, 0, 8, values.ndim)) + np.array(values.shape, ">u4").tobytes() + values.astype(np.uint8).tobytes()


def pictures(samples: int, pixels: int, classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Noise around one random picture for each class, and the classes: something that can be learned."""
    generator = np.random.default_rng(seed)
    labels = np.arange(samples) % classes
    patterns = np.random.default_rng(99).integers(0, 200, (classes, pixels))
    return (patterns[labels] + generator.integers(0, 56, (samples, pixels))).astype(np.uint8), labels.astype(np.uint8)


def write_idx_set(folder: Path, train: int = 60, test: int = 20, compress: bool = True) -> Path:
    """The four files of an image set in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (x, y), (x_test, y_test) = pictures(train, 784, 10), pictures(test, 784, 10, 1)
    for name, values in zip(IDX, (x.reshape(-1, 28, 28), y, x_test.reshape(-1, 28, 28), y_test), strict=True):
        content = idx(values)
        (folder / f"{name}{'.gz' if compress else ''}").write_bytes(gzip.compress(content) if compress else content)
    return folder


def cifar_records(samples: int, labels: int, seed: int = 0) -> bytes:
    """Records of CIFAR's binary format, with one label or two."""
    x, y = pictures(samples, 3072, 10, seed)
    return np.concatenate([np.repeat(y[:, None], labels, axis=1), x], axis=1).tobytes()


def write_cifar10(folder: Path, per_batch: int = 12, archive: bool = False) -> Path:
    """The six files of CIFAR-10, plain or in an archive."""
    contents = {f"data_batch_{number}.bin": cifar_records(per_batch, 1, number) for number in range(1, 6)}
    return write_files(folder, {**contents, "test_batch.bin": cifar_records(per_batch, 1, 9)}, "cifar-10", archive)


def write_cifar100(folder: Path, samples: int = 30, archive: bool = False) -> Path:
    """The two files of CIFAR-100, plain or in an archive."""
    return write_files(
        folder, {"train.bin": cifar_records(samples, 2), "test.bin": cifar_records(samples, 2, 1)}, "cifar-100", archive
    )


def write_files(folder: Path, contents: dict[str, bytes], name: str, archive: bool) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    if not archive:
        for file, content in contents.items():
            (folder / file).write_bytes(content)
        return folder
    with tarfile.open(folder / f"{name}-binary.tar.gz", "w:gz") as packed:
        for file, content in contents.items():
            member = tarfile.TarInfo(f"{name}-batches-bin/{file}")
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))
    return folder
