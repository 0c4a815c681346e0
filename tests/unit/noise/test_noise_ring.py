"""The ring in floating point gives the noise of the integer device, and says when there is none."""

from __future__ import annotations

import numpy as np
import pytest

from mtjlearn.fixedpoint import NoiseRing, draw_parameters, noise_positions, xorshift32
from mtjlearn.noise import PRESETS, NoiseError, RingBuffer, SimulatedAdc, stored_codes

REPLICAS = 5
SEEDS = np.array([1, 77, 2**31, 2**32 - 1, 123456789])


def device_noise(codes: np.ndarray, per_step: int, count: int, steps: int, noise_std: int) -> np.ndarray:
    ring = NoiseRing(REPLICAS, sigma=128, noise_std=noise_std)
    ring.put(codes[:, :200])
    state, drawn = SEEDS.copy(), []
    saturations = np.zeros(REPLICAS, dtype=np.int64)
    for step in range(steps):
        ring.put(codes[:, 200 + step * per_step : 200 + (step + 1) * per_step])
        ring.calibrate()
        state = xorshift32(state)
        drawn.append(ring.values(noise_positions(draw_parameters(state), count), saturations) / 4096)
    return np.array(drawn)


@pytest.mark.parametrize("per_step", [0, 1, 7, 230])
@pytest.mark.parametrize("noise_std", [0, 250 * 256])
def test_ring_equals_the_device_up_to_rounding(per_step: int, noise_std: int) -> None:
    steps = 40
    codes = SimulatedAdc(PRESETS["bench"], REPLICAS, bits=14, seed=4).read(200 + steps * per_step)
    expected = device_noise(codes.astype(np.int64), per_step, 10, steps, noise_std)
    ring = RingBuffer(stored_codes(codes), 1 / 32, SEEDS, per_step, noise_std=noise_std / 256)
    # One block, then step by step: the same values either way.
    values = np.concatenate([ring.draw(10, 25), *[ring.draw(10) for _ in range(steps - 25)]])
    assert values.shape == (steps, REPLICAS, 10)
    # The device rounds its gain to 2^-12 of itself and its noise to half of 2^-12.
    assert np.max(np.abs(values - expected)) < 0.6 / 4096


def test_ring_saturates_like_the_device() -> None:
    codes = np.full((REPLICAS, 400), 10)
    codes[:, 199] = 4000
    expected = device_noise(codes, 1, 200, 3, noise_std=512)
    values = RingBuffer(stored_codes(codes), 1 / 32, SEEDS, 1, noise_std=2.0).draw(200, 3)
    assert np.max(np.abs(values - expected)) < 2 / 4096
    assert values.max() < 10 / 32


def test_noise_has_sigma_and_no_offset() -> None:
    adc = SimulatedAdc(PRESETS["recording"], 50, seed=2)
    values = RingBuffer(adc.read, 0.1, range(1, 51), 10).draw(10, 500)
    assert abs(values.mean()) < 0.003
    assert values.std() == pytest.approx(0.1, rel=0.03)


def test_a_step_draws_without_replacement() -> None:
    codes = np.arange(200)[None] * 10
    values = RingBuffer(stored_codes(codes), 0.1, [5], 0).draw(200)[0, 0]
    assert np.unique(np.round(values, 9)).size == 200


def test_a_quiet_source_is_refused() -> None:
    codes = np.full((2, 200), 512)
    codes[0, ::2] += 3
    with pytest.raises(NoiseError, match="replica 1 deviate by 0"):
        RingBuffer(stored_codes(codes), 0.1, [1, 2], 0).draw(4)


def test_used_up_codes_and_wrong_requests_are_refused() -> None:
    codes = SimulatedAdc(PRESETS["recording"], 1).read(203)
    ring = RingBuffer(stored_codes(codes), 0.1, [1], 1)
    ring.draw(4, 3)
    with pytest.raises(NoiseError, match="used up"):
        ring.draw(4)
    with pytest.raises(ValueError, match="201 noise values"):
        ring.draw(201)
    with pytest.raises(ValueError, match="1 replicas, not for 2"):
        RingBuffer(stored_codes(codes), 0.1, [1, 2], 1).draw(4)
    with pytest.raises(ValueError, match="states of random generators"):
        RingBuffer(stored_codes(codes), 0.1, [0], 1)
    with pytest.raises(ValueError, match="200 codes before"):
        RingBuffer(stored_codes(codes), 0.1, [1], 1, prefill=100)
    with pytest.raises(ValueError, match="codes_per_step"):
        RingBuffer(stored_codes(codes), 0.1, [1], -1)
