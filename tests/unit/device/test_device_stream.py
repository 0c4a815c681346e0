"""What the device sends unasked: noise codes with every hole marked, and telemetry."""

from __future__ import annotations

import itertools
import struct

import numpy as np
import pytest
from device_support import CODES, SMALL, opened, samples, trained
from plain_client import configure, memory_client, noise_codes, sum_codes, unpack

from mtjlearn.inprocess.device import InProcessDevice
from mtjlearn.wire import messages
from mtjlearn.wire.messages import Error, NoiseCodes


def test_telemetry_tells_the_mean_loss_of_its_interval() -> None:
    board, client = opened()
    rows = samples(SMALL, 30)
    client.tell(messages.SetTelemetry(10))
    sums = [0]
    for step, row in enumerate(rows):
        board.set_micros(1000 * (step + 1) - 2**16)  # wraps on the way
        client.tell(messages.Train(row))
        sums.append(client.status().loss_sum)
    telemetry = client.unasked
    assert [(t.sequence, t.dropped, t.step) for t in telemetry] == [(0, 0, 10), (1, 0, 20), (2, 0, 30)]
    assert [t.loss for t in telemetry] == [(sums[end] - sums[end - 10]) // 10 for end in (10, 20, 30)]
    assert [t.steps_per_second for t in telemetry[1:]] == [1000, 1000]
    client.tell(messages.Stop())
    trained(client, SMALL, rows)
    assert len(client.unasked) == 3


def test_telemetry_is_dropped_and_counted_when_the_host_does_not_read() -> None:
    board, client = opened()
    client.tell(messages.SetTelemetry(1))
    board.set_room(18)  # an ACK, and nothing else
    trained(client, SMALL, samples(SMALL, 80))
    board.set_room(8192)
    client.tell(messages.Train(samples(SMALL, 1).ravel()))
    (telemetry,) = client.unasked
    assert (telemetry.sequence, telemetry.dropped, telemetry.step) == (80, 80, 81)
    assert client.status().telemetry_dropped == 80
    assert memory_client(board, nonce=2).status().telemetry_dropped == 0


@pytest.mark.parametrize("bits", [10, 12, 14])
@pytest.mark.parametrize("max_payload", [64, 240])
def test_noise_stream_carries_every_code(bits: int, max_payload: int) -> None:
    board, client = opened(None, adc_bits=bits, max_payload=max_payload)
    codes = np.random.default_rng(3).integers(0, 2**bits, 950)
    board.feed(codes[:50])
    client.status()
    client.tell(messages.Noise(777, 0))
    for start in range(50, 950, 90):
        board.feed(codes[start : start + 90])
        client.status()
    stream = client.unasked
    assert all(message.bits == bits for message in stream)
    assert stream[0].first == 50
    np.testing.assert_array_equal(noise_codes(stream), codes[50 : 50 + 777])
    assert client.status().noise_filled == 200  # they entered the buffer as well


def test_noise_stream_marks_what_the_converter_lost() -> None:
    board, client = opened(None)
    client.tell(messages.Noise(0, 0))
    board.feed(CODES[:130])
    client.status()
    board.feed(CODES[130:1400])  # 1024 fit: 246 are lost
    client.listen(lambda unasked: sum_codes(unasked) >= 1100)
    stream = [message for message in client.unasked if isinstance(message, NoiseCodes)]
    assert client.status().codes_lost == 246
    assert [message.first for message in stream[:2]] == [0, 376]
    for message in stream:
        np.testing.assert_array_equal(unpack(message), CODES[message.first : message.first + message.count])


def test_noise_stream_marks_what_the_host_did_not_read() -> None:
    board, client = opened(None)
    client.tell(messages.Noise(0, 0))
    board.set_room(100)
    for start in range(0, 2000, 100):
        board.feed(CODES[start : start + 100])
        board.poll()
    board.set_room(8192)
    board.poll()
    client.status()
    stream = [message for message in client.unasked if isinstance(message, NoiseCodes)]
    assert stream[0].first == 1800  # what the buffer still has
    for message in stream:
        np.testing.assert_array_equal(unpack(message), CODES[message.first : message.first + message.count])
    client.tell(messages.Stop())
    client.unasked.clear()
    board.feed(CODES[:500])
    client.status()
    assert not client.unasked


def test_a_network_with_another_source_of_noise_ends_the_stream_and_one_with_the_same_does_not() -> None:
    board, client = opened(None)
    client.tell(configure(SMALL))
    client.tell(messages.Noise(0, 0))
    for injected, count in ((False, 300), (True, 0)):
        client.tell(configure(SMALL, injected=injected))
        client.unasked.clear()
        board.feed(CODES[:300])
        for _ in range(3):
            client.status()
        assert sum_codes(client.unasked) == count


def test_bursts_are_contiguous() -> None:
    board, client = opened(None)
    client.tell(messages.Noise(600, 150))
    board.set_room(180)  # a slow line: one frame of codes at a time
    for start in range(0, 5000, 70):
        board.feed(CODES[start : start + 70])
        board.poll()
        client.status()
    stream = client.unasked
    assert sum_codes(stream) == 600
    bursts = [[stream[0]]]
    for before, after in itertools.pairwise(stream):
        if after.first == before.first + before.count:
            bursts[-1].append(after)
        else:
            bursts.append([after])
    assert len(bursts) > 1
    assert all(sum_codes(burst) % 150 == 0 for burst in bursts)
    for message in stream:
        np.testing.assert_array_equal(unpack(message), CODES[message.first : message.first + message.count])
    assert client.refusal(messages.Noise.TYPE, struct.pack("<IH", 1, 201)) == (Error.OUT_OF_RANGE, 2)


def test_noise_stream_needs_the_converter_as_source() -> None:
    _, client = opened()
    assert client.refused(messages.Noise(10, 0)) == (Error.WRONG_MODE, 0)


def test_noise_stream_lets_the_virtual_clock_pass() -> None:
    board = InProcessDevice(codes_per_step=10)
    client = memory_client(board)
    stream = client.noise(5000)
    assert len(noise_codes(stream)) == 5000
    micros = [message.micros for message in stream]
    assert micros == sorted(micros)
    assert client.status().codes == 5000


def test_training_goes_on_beside_a_noise_stream() -> None:
    _, client = opened(injected=False, codes_per_step=20)
    client.tell(messages.Noise(4000, 0))
    trained(client, SMALL, samples(SMALL, 200))
    client.listen(lambda unasked: sum_codes(unasked) >= 4000)
    assert len(noise_codes(client.unasked)) == 4000
    assert client.status().steps == 200
