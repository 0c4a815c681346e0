"""Image sets: both file formats in all the places and states they are found in, scaling by colour, what is wrong in one line."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import numpy as np
import pytest
from images_support import IDX, cifar_records, idx, pictures, write_cifar10, write_cifar100, write_idx_set

from mtjlearn.datasets import IMAGE_SETS, DatasetError, default_network_sizes, image_files, load, quantise
from mtjlearn.datasets import idx as idx_files
from mtjlearn.network import Loss, Network

CACHE_FOLDER = image_files.cache_folder


@pytest.fixture(autouse=True)
def _nothing_around(tmp_path, monkeypatch):
    """No data of this computer are found, and nothing is downloaded."""
    monkeypatch.setattr(image_files, "SYSTEM", tmp_path / "system")
    monkeypatch.delenv(image_files.FOLDER, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(image_files, "cache_folder", lambda: tmp_path / "cache")

    def refuse(file, folder, progress=None):
        raise image_files.UnreachableError(f"{file.url}: no network")

    monkeypatch.setattr(image_files, "download", refuse)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "does not fit into this computer's memory; use another computer"),
        (OSError(5, "Input/output error"), "cannot be read: Input/output error"),
        (EOFError("Compressed file ended"), r"is truncated or damaged \(Compressed file ended\); download it again"),
    ],
    ids=["memory", "disk", "gzip"],
)
def test_what_fails_while_an_idx_file_is_read_is_named(tmp_path, monkeypatch, error, words):
    def fails(*_):
        raise error

    monkeypatch.setattr(idx_files, "_read", fails)
    (tmp_path / "a").write_bytes(idx(np.zeros((1, 28, 28), np.uint8)))
    with pytest.raises(DatasetError, match=f"^{re.escape(str(tmp_path / 'a'))} {words}$"):
        idx_files.read_idx(tmp_path / "a", 3)


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("below", ["", "mnist"])
def test_idx_files_packed_or_not_in_the_folder_or_one_of_the_sets_name(tmp_path, compress, below):
    write_idx_set(tmp_path / "data" / below, compress=compress)
    dataset = load("mnist", seed=0, data_dir=tmp_path / "data")
    x, y = pictures(60, 784, 10)
    assert dataset.x_train.dtype == np.float32
    np.testing.assert_array_equal(dataset.y_train, y)
    np.testing.assert_allclose(dataset.input_scaling.invert(dataset.x_train) * 255, x, atol=1e-3)
    assert dataset.shape == (1, 28, 28)
    assert dataset.scale == "global"
    assert default_network_sizes(dataset, Loss.CROSS_ENTROPY) == (784, 32, 10)
    assert dataset.notes == (
        "mnist has 60 training images here; the published set has 60,000",
        "mnist has 20 test images here; the published set has 10,000",
    )


def test_names_that_unpacking_programs_leave(tmp_path):
    write_idx_set(tmp_path, compress=False)
    for name in IDX:
        (tmp_path / name).rename(tmp_path / name.replace("-idx", ".idx"))
    assert len(load("fashion-mnist", seed=0, data_dir=tmp_path).x_train) == 60


@pytest.mark.parametrize("archive", [True, False])
def test_both_cifars(tmp_path, archive):
    write_cifar10(tmp_path / "ten", archive=archive)
    ten = load("cifar10", seed=0, data_dir=tmp_path / "ten")
    assert ten.x_train.shape == (60, 3072)
    first, second = (pictures(12, 3072, 10, seed) for seed in (1, 2))
    np.testing.assert_array_equal(ten.y_train[:24], np.concatenate([first[1], second[1]]))
    np.testing.assert_allclose(ten.input_scaling.invert(ten.x_train[:24]) * 255, np.concatenate([first[0], second[0]]), atol=1e-3)
    assert ten.classes is not None
    assert ten.classes[3] == "cat"
    write_cifar100(tmp_path / "hundred", archive=archive)
    hundred = load("cifar100", seed=0, data_dir=tmp_path / "hundred")
    assert hundred.x_train.shape == (30, 3072)
    assert len(hundred.classes or ()) == 100


def test_the_second_label_of_cifar100_is_the_class(tmp_path):
    rows = np.frombuffer(cifar_records(20, 2), np.uint8).reshape(20, -1).copy()
    rows[:, 1] = np.arange(20) + 70
    write_cifar100(tmp_path)
    (tmp_path / "train.bin").write_bytes(rows.tobytes())
    np.testing.assert_array_equal(load("cifar100", seed=0, data_dir=tmp_path).y_train, np.arange(20) + 70)


def test_one_scale_for_each_colour(tmp_path):
    dataset = load("cifar10", seed=0, data_dir=write_cifar10(tmp_path))
    colours = dataset.x_train.reshape(60, 3, 1024)
    np.testing.assert_allclose(colours.mean(axis=(0, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(colours.std(axis=(0, 2)), 1, atol=1e-5)
    assert np.unique(dataset.input_scaling.mean).size == 3
    column = load("cifar10", seed=0, data_dir=tmp_path, scale="column")
    np.testing.assert_allclose(column.x_train.std(axis=0), 1, atol=1e-4)
    bare = load("cifar10", seed=0, data_dir=tmp_path, scale="none")
    assert bare.x_train.min() >= 0
    assert bare.x_train.max() <= 1
    assert len({dataset.digest, column.digest, bare.digest}) == 3


def test_means_and_deviations_that_are_given(tmp_path):
    known = IMAGE_SETS["cifar10"]
    assert known.mean is not None
    assert known.std is not None
    dataset = load("cifar10", seed=0, data_dir=write_cifar10(tmp_path), channels=(known.mean, known.std))
    raw = load("cifar10", seed=0, data_dir=tmp_path, scale="none").x_train.reshape(60, 3, 1024)
    expected = (raw - np.array(known.mean)[:, None]) / np.array(known.std)[:, None]
    np.testing.assert_allclose(dataset.x_train.reshape(60, 3, 1024), expected, rtol=1e-5, atol=1e-5)
    for bad in (((0.1,), (0.2,)), ((0.1,) * 3, (0.2, 0.0, 0.2)), ((np.nan,) * 3, (0.2,) * 3)):
        with pytest.raises(DatasetError, match="a mean and a positive deviation for each of its 3 channels"):
            load("cifar10", seed=0, data_dir=tmp_path, channels=bad)
    with pytest.raises(DatasetError, match="not with --scale column"):
        load("cifar10", seed=0, data_dir=tmp_path, channels=(known.mean, known.std), scale="column")


def test_a_constant_pixel_and_the_first_samples(tmp_path):
    x, y = pictures(60, 784, 10)
    x[:, 5] = 7
    write_idx_set(tmp_path, compress=False)
    (tmp_path / IDX[0]).write_bytes(idx(x.reshape(-1, 28, 28)))
    column = load("mnist", seed=0, data_dir=tmp_path, scale="column")
    assert not column.x_train[:, 5].any()
    assert "1 pixel is constant in the training part and counted as 0" in column.notes
    few = load("mnist", seed=0, data_dir=tmp_path, samples=17)
    np.testing.assert_array_equal(few.y_train, y[:17])
    assert abs(float(few.x_train.mean())) < 1e-5
    assert few.digest != load("mnist", seed=0, data_dir=tmp_path).digest
    with pytest.raises(DatasetError, match="mnist has 60 training images; --samples 61 is more"):
        load("mnist", seed=0, data_dir=tmp_path, samples=61)


def test_quantised_they_are_what_the_scaled_pixels_are(tmp_path):
    dataset = load("mnist", seed=0, data_dir=write_idx_set(tmp_path))
    quantised = quantise(dataset, Network((784, 10), loss=Loss.CROSS_ENTROPY))
    np.testing.assert_array_equal(quantised.x_test, np.rint(dataset.x_test * 4096))


def test_pooled_pixels_are_the_means_of_blocks(tmp_path):
    folder = write_idx_set(tmp_path)
    whole = load("mnist", seed=0, data_dir=folder, scale="none")
    pooled = load("mnist", seed=0, data_dir=folder, scale="none", pool=2)
    assert (pooled.inputs, pooled.shape) == (196, (1, 14, 14))
    blocks = whole.x_train.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)).reshape(-1, 196)
    np.testing.assert_allclose(pooled.x_train, blocks, atol=0.51 / 255)
    assert load("mnist", seed=0, data_dir=folder, pool=9).inputs == 9  # 28 = 3 x 9 + 1: the last row and column are not used
    assert pooled.digest != whole.digest
    with pytest.raises(DatasetError, match=r"--pool 29 leaves none: use 1 \.\. 28"):
        load("mnist", seed=0, data_dir=folder, pool=29)
    with pytest.raises(DatasetError, match="--pool is for image sets"):
        load("iris", seed=0, pool=2)


def test_a_floor_below_the_deviation_of_a_pixel(tmp_path):
    folder = write_idx_set(tmp_path, 200, compress=False)
    (file,) = folder.glob("train-images*")
    content = bytearray(file.read_bytes())
    content[16::2] = bytes(100 + value % 9 for value in content[16::2])  # every second pixel hardly changes
    file.write_bytes(content)
    column = load("mnist", seed=0, data_dir=folder, scale="column").input_scaling
    floor = load("mnist", seed=0, data_dir=folder, scale="floor").input_scaling
    np.testing.assert_array_equal(floor.mean, column.mean)
    np.testing.assert_array_equal(floor.std, np.maximum(column.std, 0.1))
    assert 0 < np.count_nonzero(column.std < 0.1) < 784
    with pytest.raises(DatasetError, match="--scale floor is for image sets"):
        load("iris", seed=0, scale="floor")


def test_where_files_are_looked_for(tmp_path, monkeypatch):
    write_idx_set(tmp_path / "cache" / "mnist", train=30)
    assert len(load("mnist", seed=0).x_train) == 30
    write_idx_set(tmp_path / "system" / "mnist", train=40)
    assert len(load("mnist", seed=0).x_train) == 40
    monkeypatch.setenv(image_files.FOLDER, str(tmp_path / "mine"))
    assert len(load("mnist", seed=0).x_train) == 40
    write_idx_set(tmp_path / "mine", train=50)
    assert len(load("mnist", seed=0).x_train) == 50
    same = load("mnist", seed=0, data_dir=write_idx_set(tmp_path / "elsewhere", train=50))
    assert same.digest == load("mnist", seed=0).digest


def test_without_the_files_one_line_says_where_to_put_them(tmp_path):
    with pytest.raises(DatasetError) as found:
        load("mnist", seed=0)
    text = str(found.value)
    assert "mnist is not on this computer, and cannot be downloaded" in text
    assert f"put {IDX[0]}.gz, {IDX[1]}.gz, {IDX[2]}.gz and {IDX[3]}.gz into {tmp_path / 'cache' / 'mnist'}" in text
    assert "or name their folder with --data-dir" in text
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match=r"empty lacks files of cifar100; it needs cifar-100-binary\.tar\.gz"):
        load("cifar100", seed=0, data_dir=tmp_path / "empty")


def damaged(content: bytes, how: str) -> bytes:
    if how == "half":
        return content[: len(content) // 2]
    if how == "longer":
        return content + b"x"
    if how == "huge":
        return content[:4] + b"\xff" * 4 + content[8:]
    return {"empty": b"", "header": content[:9], "text": b"<html>404</html>"}[how]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("half", r"is truncated: it has 23,\d+ of 47,040 values; download it again"),
        ("longer", "has bytes after its 47,040 values; download it again"),
        ("huge", r"says that it has [\d,]+ values, more than 2,147,483,648"),
        ("empty", r"is not an IDX file of bytes \(it begins with nothing\)"),
        ("header", "is truncated: its header ends after 9 bytes"),
        ("text", r"is not an IDX file of bytes \(it begins with 3c 68 74 6d\)"),
    ],
)
@pytest.mark.parametrize("compress", [True, False])
def test_damaged_idx_files_are_named_in_one_line(tmp_path, how, said, compress):
    write_idx_set(tmp_path, compress=compress)
    path = tmp_path / f"{IDX[0]}{'.gz' if compress else ''}"
    content = path.read_bytes()
    bad = damaged(gzip.decompress(content) if compress else content, how)
    path.write_bytes(gzip.compress(bad) if compress else bad)
    with pytest.raises(DatasetError, match=said) as found:
        load("mnist", seed=0, data_dir=tmp_path)
    assert "\n" not in str(found.value)


def test_a_packed_file_that_ends_early_or_is_damaged_inside(tmp_path):
    write_idx_set(tmp_path)
    path = tmp_path / f"{IDX[0]}.gz"
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(DatasetError, match="is truncated or damaged"):
        load("mnist", seed=0, data_dir=tmp_path)
    path.write_bytes(content[:-5] + bytes([content[-5] ^ 1]) + content[-4:])
    with pytest.raises(DatasetError, match="is truncated or damaged"):
        load("mnist", seed=0, data_dir=tmp_path)


def test_files_that_do_not_belong_together(tmp_path):
    write_idx_set(tmp_path, compress=False)
    images, labels = (tmp_path / name for name in IDX[:2])
    right = images.read_bytes(), labels.read_bytes()
    images.write_bytes(right[1])
    with pytest.raises(DatasetError, match="has 1 dimensions; a file of images has 3: are two files mixed up"):
        load("mnist", seed=0, data_dir=tmp_path)
    images.write_bytes(idx(np.zeros((60, 32, 32), np.uint8)))
    with pytest.raises(DatasetError, match="has images of 32 x 32 pixels, and those of mnist have 28 x 28"):
        load("mnist", seed=0, data_dir=tmp_path)
    images.write_bytes(right[0])
    labels.write_bytes(idx(np.zeros(59, np.uint8)))
    with pytest.raises(DatasetError, match="the training part has 60 images and 59 labels"):
        load("mnist", seed=0, data_dir=tmp_path)
    labels.write_bytes(idx(np.full(60, 10, np.uint8)))
    with pytest.raises(DatasetError, match=r"label 10 of training image 1 is outside 0 \.\. 9"):
        load("mnist", seed=0, data_dir=tmp_path)
    labels.write_bytes(right[1])
    images.write_bytes(idx(np.zeros((60, 28, 28), np.uint8)))
    with pytest.raises(DatasetError, match="every pixel is constant"):
        load("mnist", seed=0, data_dir=tmp_path)
    images.write_bytes(idx(np.zeros((0, 28, 28), np.uint8)))
    with pytest.raises(DatasetError, match="the training part has no images"):
        load("mnist", seed=0, data_dir=tmp_path)


@pytest.mark.parametrize("kind", [3, 4, 30])
def test_damaged_cifar_files_are_named_in_one_line(tmp_path, kind):
    write_cifar10(tmp_path)
    path = tmp_path / "data_batch_3.bin"
    content = path.read_bytes()
    path.write_bytes({3: content[:-1], 4: b"", 30: cifar_records(12, 2)}[kind])
    with pytest.raises(DatasetError, match=r"data_batch_3\.bin has [\d,]+ bytes, which are \d+ records of 3073 and \d+ bytes"):
        load("cifar10", seed=0, data_dir=tmp_path)


def test_damaged_archives_are_named_in_one_line(tmp_path):
    path = write_cifar10(tmp_path, archive=True) / "cifar-10-binary.tar.gz"
    content = path.read_bytes()
    for bad, said in (
        (content[: len(content) // 2], "is truncated or damaged"),
        (b"<html>404</html>", "is truncated or damaged"),
        (b"", "is truncated or damaged"),
    ):
        path.write_bytes(bad)
        with pytest.raises(DatasetError, match=said):
            load("cifar10", seed=0, data_dir=tmp_path)
    (write_cifar100(tmp_path, archive=True) / "cifar-100-binary.tar.gz").rename(path)
    with pytest.raises(DatasetError, match=r"lacks data_batch_1\.bin, .*download the binary version again"):
        load("cifar10", seed=0, data_dir=tmp_path)


def test_a_link_in_an_archive_is_not_followed(tmp_path):
    import tarfile

    with tarfile.open(tmp_path / "cifar-100-binary.tar.gz", "w:gz") as packed:
        member = tarfile.TarInfo("train.bin")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        packed.addfile(member)
    with pytest.raises(DatasetError, match=r"lacks train\.bin, test\.bin"):
        load("cifar100", seed=0, data_dir=tmp_path)


def test_options_of_tables_and_of_images_are_not_mixed(tmp_path):
    folder = write_idx_set(tmp_path)
    with pytest.raises(DatasetError, match="mnist is an image set and knows its classes; omit --target"):
        load("mnist", seed=0, target="y", data_dir=folder)
    with pytest.raises(DatasetError, match="omit --task regression"):
        load("mnist", seed=0, task="regression", data_dir=folder)
    with pytest.raises(DatasetError, match="--data-dir is for image sets"):
        load("iris", seed=0, data_dir=folder)
    with pytest.raises(DatasetError, match="did you mean cifar10"):
        load("cifar-10", seed=0)


def test_more_than_there_is_memory_for_is_said_before_it_is_read(tmp_path, monkeypatch):
    from mtjlearn.datasets import limits

    monkeypatch.setattr(limits, "free_memory", lambda: 2**15)
    with pytest.raises(DatasetError, match="GiB of memory"):
        load("mnist", seed=0, data_dir=write_idx_set(tmp_path))


@pytest.mark.parametrize(
    ("platform", "variable", "below"),
    [
        ("linux", "XDG_CACHE_HOME", ("mtjlearn", "datasets")),
        ("win32", "LOCALAPPDATA", ("mtjlearn", "datasets")),
        ("linux", None, (".cache", "mtjlearn", "datasets")),
        ("darwin", None, ("Library", "Caches", "mtjlearn", "datasets")),
        ("win32", None, ("AppData", "Local", "mtjlearn", "datasets")),
    ],
)
def test_the_cache_is_where_the_system_has_caches(tmp_path, monkeypatch, platform, variable, below):
    monkeypatch.setattr(image_files.sys, "platform", platform)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    if variable is not None:
        monkeypatch.setenv(variable, str(tmp_path))
    assert CACHE_FOLDER() == tmp_path.joinpath(*below)


REAL = Path("/usr/share/datasets/fashion-mnist")


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_dir(), reason="Debian's dataset-fashion-mnist is not installed")
def test_the_real_fashion_mnist():
    dataset = load("fashion-mnist", seed=0, data_dir=REAL)
    assert dataset.notes == ()
    assert (dataset.x_train.shape, dataset.x_test.shape) == ((60_000, 784), (10_000, 784))
    assert np.bincount(dataset.y_train).tolist() == [6000] * 10
    np.testing.assert_allclose((dataset.input_scaling.mean[0], dataset.input_scaling.std[0]), (0.2860, 0.3530), atol=5e-5)
