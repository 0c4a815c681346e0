"""Datasets as the bytes that a board keeps: what is packed comes out again, and what does not fit is reported before it is sent."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtjlearn.board import BoardError
from mtjlearn.board.packing import capacity, class_bits, fitting, pack, unpack
from mtjlearn.network import Loss, Network
from mtjlearn.wire.messages import MAX_SAMPLES_VALUE, TargetKind

ONE = 4096


@st.composite
def datasets(draw):
    """A network, and inputs and targets that suit it: classes, one-hot vectors, signs or values."""
    inputs, outputs = draw(st.integers(1, 6)), draw(st.integers(1, 20))
    kind = draw(st.sampled_from(["classes", "one-hot", "signs", "values"]))
    outputs = 1 if kind == "signs" else max(2, outputs) if kind != "values" else outputs
    network = Network((inputs, 2, outputs), loss=Loss.CROSS_ENTROPY if kind == "classes" else Loss.SQUARED)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count, most = draw(st.integers(1, 30)), draw(st.sampled_from([1, 127, 128, 5000, MAX_SAMPLES_VALUE]))
    x = rng.integers(-most, most + 1, (count, inputs))
    classes = rng.integers(0, outputs, count)
    targets = {
        "classes": classes,
        "one-hot": np.eye(outputs, dtype=np.int64)[classes] * ONE,
        "signs": rng.choice([-ONE, ONE], (count, 1)),
        "values": rng.integers(-most, most + 1, (count, outputs)),
    }
    return network, x, targets[kind]


@given(datasets())
def test_int16_is_exact(drawn):
    network, x, target = drawn
    packed = pack(network, x, target, 2)
    inputs, targets = unpack(network, packed)
    np.testing.assert_array_equal(inputs, x)
    np.testing.assert_array_equal(targets, target.reshape(targets.shape))
    assert packed.scale == 0


@given(datasets())
def test_int8_is_within_half_a_step_of_the_finest_scale(drawn):
    network, x, target = drawn
    packed = pack(network, x, target, 1)
    inputs, targets = unpack(network, packed)
    # Beyond 127 steps of the coarsest scale a value is limited.
    within = (1 << packed.scale) / 2 if np.abs(x).max() < 127.5 * 256 else 256
    assert np.abs(inputs.astype(int) - x).max() <= within
    values = [x] if packed.target_kind is not TargetKind.VALUES else [x, target.reshape(len(x), -1)]
    largest = max(int(np.abs(part).max()) for part in values)
    assert packed.scale == 0 or largest > 127 * (1 << (packed.scale - 1))
    if packed.target_kind is not TargetKind.VALUES:
        np.testing.assert_array_equal(targets, target.reshape(targets.shape))


@given(datasets(), st.sampled_from([1, 2]))
def test_as_many_samples_fit_as_are_said_to(drawn, value_bytes):
    network, x, target = drawn
    packed = pack(network, x, target, value_bytes)
    size = len(packed.data)
    assert capacity(network, packed.target_kind, value_bytes, size) >= packed.samples
    assert capacity(network, packed.target_kind, value_bytes, size - 1) < packed.samples
    message = packed.message
    assert (message.samples, message.value_bytes, message.class_bits) == (len(x), value_bytes, packed.class_bits)


def test_iris_on_an_uno():
    network = Network((4, 8, 3), loss=Loss.CROSS_ENTROPY)
    rng = np.random.default_rng(1)
    x, classes = rng.integers(-12000, 12001, (120, 4)), rng.integers(0, 3, 120)
    # 1,024 bytes of EEPROM less two checkpoints of 250.
    packed = fitting(network, x, classes, 1024 - 2 * 250)
    assert (packed.value_bytes, packed.class_bits, len(packed.data)) == (1, 2, 510)
    assert fitting(network, x, classes, 990).value_bytes == 2
    with pytest.raises(BoardError, match=r"120 samples as int8 take 510 .* room for 500: 10 bytes are missing; 117 samples fit"):
        fitting(network, x, classes, 500)
    with pytest.raises(BoardError, match=r"as int16 take 990 bytes .* 466 bytes are missing; 63 samples fit"):
        fitting(network, x, classes, 524, value_bytes=2)


@pytest.mark.parametrize(("outputs", "bits"), [(2, 1), (3, 2), (4, 2), (5, 4), (16, 4), (17, 8), (90, 8)])
def test_bits_of_a_class(outputs, bits):
    assert class_bits(Network((1, outputs), loss=Loss.CROSS_ENTROPY), TargetKind.CLASSES) == bits
    rng = np.random.default_rng(outputs)
    network = Network((1, outputs), loss=Loss.CROSS_ENTROPY)
    x, classes = rng.integers(-9, 9, (57, 1)), rng.integers(0, outputs, 57)
    np.testing.assert_array_equal(unpack(network, pack(network, x, classes, 1))[1][:, 0], classes)


def test_no_samples_and_too_many_are_refused():
    network = Network((1, 1))
    for count in (0, 65536):
        with pytest.raises(ValueError, match="1 to 65535 samples"):
            pack(network, np.zeros((count, 1), int), np.zeros((count, 1), int), 2)
