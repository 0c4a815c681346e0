"""The image sets that are known by name: what their files are called, where they are published, and their checksums.

The checksums of Fashion-MNIST were verified with Debian's package, which has the same compressed data without the name and the
time in front. Those of MNIST and CIFAR are what several projects publish; nobody here has had the files. docs/training.md says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Published:
    """A file as it is published.

    Args:
        url: where.
        size: bytes.
        sha256: its checksum, in hexadecimal.
    """

    url: str
    size: int
    sha256: str


@dataclass(frozen=True)
class ImageSet:
    """A set of images with a training and a test part of its own.

    Args:
        name: as it is asked for.
        format: of its files.
        shape: of an image: channels, rows, columns.
        classes: their names.
        train: published training images.
        test: published test images.
        files: published files by name; without ``.gz`` the unpacked ones are the same.
        mean: of each channel, of pixels from 0 to 1, as the paper's authors use it; None: they do not.
        std: the same for the deviation.
        labels: bytes of labels in a record of CIFAR.
        records: files of an archive: training part, then test part.
    """

    name: str
    format: Literal["idx", "cifar"]
    shape: tuple[int, int, int]
    classes: tuple[str, ...]
    train: int
    test: int
    files: Mapping[str, Published]
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    labels: int = 0
    records: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())


IDX_FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
"""Images and labels of the training part, then of the test part."""

_MNIST = "https://storage.googleapis.com/cvdf-datasets/mnist/"
_FASHION = "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/"
_CIFAR = "https://www.cs.toronto.edu/~kriz/"
_CLOTHES = ("T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
_THINGS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_CIFAR_MEAN = (0.4914, 0.4822, 0.4465)
_CIFAR_STD = (0.2023, 0.1994, 0.2010)


def _idx(base: str, *published: tuple[int, str]) -> dict[str, Published]:
    return {
        f"{name}.gz": Published(f"{base}{name}.gz", size, sha256) for name, (size, sha256) in zip(IDX_FILES, published, strict=True)
    }


IMAGE_SETS: Mapping[str, ImageSet] = {
    found.name: found
    for found in (
        ImageSet(
            "mnist",
            "idx",
            (1, 28, 28),
            tuple("0123456789"),
            60_000,
            10_000,
            _idx(
                _MNIST,
                (9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
                (28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
                (1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
                (4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
            ),
            mean=(0.1307,),
            std=(0.3081,),
        ),
        ImageSet(
            "fashion-mnist",
            "idx",
            (1, 28, 28),
            _CLOTHES,
            60_000,
            10_000,
            _idx(
                _FASHION,
                (26_421_880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
                (29_515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
                (4_422_102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
                (5_148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
            ),
        ),
        ImageSet(
            "cifar10",
            "cifar",
            (3, 32, 32),
            _THINGS,
            50_000,
            10_000,
            {
                "cifar-10-binary.tar.gz": Published(
                    f"{_CIFAR}cifar-10-binary.tar.gz",
                    170_052_171,
                    "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
                )
            },
            mean=_CIFAR_MEAN,
            std=_CIFAR_STD,
            labels=1,
            records=(tuple(f"data_batch_{number}.bin" for number in range(1, 6)), ("test_batch.bin",)),
        ),
        ImageSet(
            "cifar100",
            "cifar",
            (3, 32, 32),
            tuple(str(number) for number in range(100)),
            50_000,
            10_000,
            {
                "cifar-100-binary.tar.gz": Published(
                    f"{_CIFAR}cifar-100-binary.tar.gz",
                    168_513_733,
                    "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
                )
            },
            mean=_CIFAR_MEAN,
            std=_CIFAR_STD,
            labels=2,
            records=(("train.bin",), ("test.bin",)),
        ),
    )
}
IMAGES: tuple[str, ...] = tuple(IMAGE_SETS)
"""Names of the image sets."""
