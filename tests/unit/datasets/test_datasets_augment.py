"""Random crops and flips: each image of an epoch is a crop of itself in black, as a slow and plain program makes it."""

from __future__ import annotations

import numpy as np
import pytest
from images_support import write_cifar10, write_idx_set

from mtjlearn.datasets import Augmentation, DatasetError, load


@pytest.fixture(scope="module")
def cifar(tmp_path_factory):
    return load("cifar10", seed=0, data_dir=write_cifar10(tmp_path_factory.mktemp("cifar")))


def crops(image, black):
    """All crops of an image of (3, 32, 32) padded by 4, and their mirror images."""
    padded = np.broadcast_to(black[:, None, None], (3, 40, 40)).copy()
    padded[:, 4:36, 4:36] = image
    for down in range(9):
        for right in range(9):
            crop = padded[:, down : down + 32, right : right + 32]
            yield (down, right, False), crop
            yield (down, right, True), crop[:, :, ::-1]


def test_every_image_is_a_crop_of_itself(cifar):
    augmentation = Augmentation.of(cifar, seed=3)
    changed = augmentation.epoch(cifar.x_train, 0)
    assert changed.dtype == np.float32
    black = cifar.input_scaling.apply(np.zeros((1, 3072)))[0].reshape(3, 1024)[:, 0].astype(np.float32)
    seen = []
    for before, after in zip(cifar.x_train.reshape(-1, 3, 32, 32), changed.reshape(-1, 3, 32, 32), strict=True):
        seen += [how for how, crop in crops(before, black) if np.array_equal(crop, after)][:1]
    assert len(seen) == len(cifar.x_train)
    downs, rights, mirrored = (set(values) for values in zip(*seen, strict=True))
    assert downs == rights == set(range(9))
    assert mirrored == {True, False}


def test_it_depends_on_seed_and_epoch_alone(cifar):
    x = cifar.x_train
    once, again = (Augmentation.of(cifar, seed=3).epoch(x, 5) for _ in range(2))
    np.testing.assert_array_equal(once, again)
    assert not np.array_equal(once, Augmentation.of(cifar, seed=3).epoch(x, 6))
    assert not np.array_equal(once, Augmentation.of(cifar, seed=4).epoch(x, 5))


def test_only_colour_images_have_it(tmp_path):
    with pytest.raises(DatasetError, match=r"mnist has no colour images; .*omit --augment"):
        Augmentation.of(load("mnist", seed=0, data_dir=write_idx_set(tmp_path)), seed=0)
