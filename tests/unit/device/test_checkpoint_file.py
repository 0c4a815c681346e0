"""Checkpoints on the host: everything is read back, and nothing damaged, foreign or of another version is."""

from __future__ import annotations

import itertools
import zlib
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtjlearn.board import CheckpointContent, CheckpointError, CheckpointFile, years_of_wear
from mtjlearn.board.checkpoint_file import MAGIC
from mtjlearn.network import Loss, Network, Rounding, WeightFormat
from mtjlearn.wire.messages import CHECKPOINT_COMMIT, CHECKPOINT_FORMAT, CheckpointRecord

COMMIT = CHECKPOINT_COMMIT | CHECKPOINT_FORMAT
NETWORKS = [
    Network((4, 8, 3), loss=Loss.CROSS_ENTROPY, learning_rate=0.0625, sigma=0.03125, seed=9),
    Network((2, 1), weight_format=WeightFormat.INT32, antithetic=True, normalised=False, learning_rate=0.5, sigma=0.25),
    Network((3, 2, 4), decorrelate=(True, False), decorrelation_rate=2**-12, rounding=Rounding.NEAREST, noise_std=2.5),
]


def record(network, **changes):
    values = {field.name: 0 for field in fields(CheckpointRecord)}
    values |= {
        "commit": COMMIT,
        "generation": 7,
        "loss": network.loss,
        "weight_format": network.weight_format,
        "rounding": network.rounding,
        "normalised": int(network.normalised),
        "antithetic": int(network.antithetic),
        "decorrelate": sum(flag << layer for layer, flag in enumerate(network.decorrelate)),
        "layers": network.layers,
        "sigma": network.sigma_q,
        "noise_std": network.noise_std_q,
        "learning_rate": network.learning_rate_q,
        "decorrelation_rate": network.decorrelation_rate_q,
        "seed": network.seed,
        "random_state": 5,
        "steps": 12_000,
    }
    return CheckpointRecord(**{**values, **changes})


def whole(network, rest=None, **changes):
    """A checkpoint's bytes with the right CRC-32."""
    wide = 4 if network.weight_format is WeightFormat.INT32 else 2
    size = wide * network.parameters + sum(2 * n * n for n, on in zip(network.sizes, network.decorrelate, strict=False) if on)
    body = np.array(network.sizes, "<u2").tobytes() + (bytes(i % 100 for i in range(size)) if rest is None else rest)
    described = record(network, **changes)
    crc = zlib.crc32(described.pack()[6:] + body)
    return replace(described, crc=crc).pack() + body


def resealed(data):
    return data[:2] + zlib.crc32(data[6:]).to_bytes(4, "little") + data[6:]


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)
def test_everything_is_read(network):
    content = CheckpointContent.parse(whole(network))
    assert replace(content.network, learning_rate=network.learning_rate) == network
    assert content.network.learning_rate_q == network.learning_rate_q
    assert content.record.steps == 12_000
    shapes = [(units, fan_in + 1) for fan_in, units in itertools.pairwise(network.sizes)]
    assert [layer.shape for layer in content.weights] == shapes
    assert len(content.matrices) == sum(network.decorrelate)
    flat = b"".join(array.tobytes() for array in (*content.weights, *content.matrices))
    assert flat == bytes(i % 100 for i in range(len(flat)))


def test_no_damaged_byte_goes_unseen():
    data = whole(NETWORKS[0])
    for place in range(len(data)):
        for flip in (1, 0x80):
            damaged = bytearray(data)
            damaged[place] ^= flip
            with pytest.raises(CheckpointError):
                CheckpointContent.parse(bytes(damaged))
    for length in range(len(data)):
        with pytest.raises(CheckpointError):
            CheckpointContent.parse(data[:length])


@given(st.binary(max_size=300), st.integers(0, 2))
def test_no_content_with_a_right_crc_makes_an_exception_but_its_own(noise, which):
    data = bytearray(whole(NETWORKS[which]))
    data[6 : 6 + len(noise)] = noise
    try:
        content = CheckpointContent.parse(resealed(bytes(data)))
    except CheckpointError:
        return
    content.summary()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (whole(NETWORKS[0], commit=CHECKPOINT_COMMIT | 9), "format 9, this host reads formats up to 2"),
        (whole(NETWORKS[0], commit=0xFFFF), "commit word is missing"),
        (whole(NETWORKS[0], rest=b"12"), "contents are inconsistent"),
        (whole(NETWORKS[0], sigma=0), "contents are inconsistent"),
        (resealed(whole(NETWORKS[0]) + b"1"), "1 bytes too many"),
    ],
)
def test_what_is_wrong_is_told(data, told):
    with pytest.raises(CheckpointError, match=told):
        CheckpointContent.parse(data)


def test_a_file_there_and_back(tmp_path):
    path = tmp_path / "a.ckpt"
    CheckpointFile(CheckpointContent.parse(whole(NETWORKS[2])), "native", "00c0ffee", 1.7e9).write(path)
    found = CheckpointFile.read(path)
    assert (found.board, found.build, found.saved) == ("native", "00c0ffee", 1.7e9)
    assert found.content.data == whole(NETWORKS[2])
    assert path.read_bytes().startswith(MAGIC)


def test_a_damaged_or_foreign_file_is_refused(tmp_path):
    path = tmp_path / "a.ckpt"
    CheckpointFile(CheckpointContent.parse(whole(NETWORKS[1])), "native", "00c0ffee", 1.7e9).write(path)
    data = path.read_bytes()
    for place in range(len(data)):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(CheckpointError, match=str(path)):
            CheckpointFile.read(path)
    for wrong, told in (
        (b"", "not a checkpoint file"),
        (data[:-1], "cut off"),
        (data + b"1", "too long"),
        (data[:8] + b"\2\0" + data[10:], "format 2, this host reads 1"),
        (data[:10], "not a checkpoint file"),
    ):
        path.write_bytes(wrong)
        with pytest.raises(CheckpointError, match=told):
            CheckpointFile.read(path)
    with pytest.raises(CheckpointError, match="cannot be read"):
        CheckpointFile.read(tmp_path / "none")


def test_wear():
    # As computed in the design: a save a minute wears an EEPROM out in 0.4 years, one in half an hour in more than 10.
    assert years_of_wear(60) == pytest.approx(0.38, abs=0.005)
    assert years_of_wear(1800) == pytest.approx(11.4, abs=0.05)
