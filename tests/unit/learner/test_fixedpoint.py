"""Properties of the integer model that hold for all operands."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtjlearn import fixedpoint as fp
from mtjlearn.network import Loss, Network, NetworkError, Rounding, WeightFormat

WORDS = np.arange(65536)
int16s = st.integers(-32767, 32767)


def column(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def codes(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(100, 180, shape)


# --- primitives -------------------------------------------------------------------------------------------------------


@given(st.integers(0, 2**63 - 1))
def test_bit_length_is_exact_at_any_size(value: int) -> None:
    near = {max(value - 1, 0), value, 2 ** value.bit_length() - 1}
    for each in near:
        assert fp.bit_length(column(each))[0] == each.bit_length()


@given(st.integers(1, 2**40))
def test_norm16_keeps_the_leading_bits(value: int) -> None:
    mantissa = int(fp.norm16(column(value))[0])
    assert 2**15 <= mantissa < 2**16
    assert mantissa == (value << 24) >> (value.bit_length() + 8)


def test_generator_reaches_the_known_values() -> None:
    state = column(1)
    for _ in range(3):
        state = fp.xorshift32(state)
    assert state[0] == 2647435461  # Marsaglia's triple (13, 17, 5) from state 1


@pytest.mark.thorough
def test_draws_are_without_replacement_for_every_start_and_stride() -> None:
    drawn = fp.draw_parameters(WORDS << 16)
    assert len(np.unique(drawn.stride)) == 80
    assert drawn.start.min() == 0
    assert drawn.start.max() == 199
    positions = np.sort(fp.noise_positions(drawn, 200), axis=1)
    assert (positions == np.arange(200)).all()


def test_dither_words_visit_all_values() -> None:
    assert len(np.unique(fp.dither_words(column(123), 65536))) == 65536


@pytest.mark.thorough
@given(st.integers(0, 30))
def test_dither_has_its_number_of_bits(bits: int) -> None:
    values = fp.dither(WORDS, bits)
    assert values.min() == 0
    assert values.max() < 2**bits
    assert len(np.unique(values)) == 2 ** min(bits, 16)


@given(int16s, int16s, st.integers(-100, 100), st.sampled_from([8, 16, 24]))
def test_stochastic_rounding_of_int16_is_unbiased(c: int, x: int, w: int, s: int) -> None:
    c = c // 132 if s == 8 else c  # keeps the sum inside int16
    change = fp.update_int16(column(w), column(c * x), WORDS, column(s)) - w
    # 16 dither bits resolve s <= 16 exactly; beyond, the mean is off by less than one of their steps.
    tolerance = 0 if s <= 16 else 2**-16
    assert abs(change.mean() - c * x / 2**s) <= tolerance
    assert change.max() - change.min() <= 1


@given(int16s, int16s)
def test_stochastic_rounding_of_int32_is_unbiased(c: int, x: int) -> None:
    updated = fp.update_int32(column(0), column(c * x), WORDS, column(24))
    assert updated.mean() == c * x / 2**8


@given(int16s, st.booleans(), st.integers(16384, 32767), st.integers(0, 65535), st.integers(0, 15))
def test_coefficients_stay_below_2_to_15(da: int, negative: bool, g: int, word: int, extra: int) -> None:
    k = abs(da).bit_length() + extra
    c = fp.coefficient(column(-g if negative else g), column(da), column(word), column(k))
    assert abs(int(c[0])) < 2**15


@given(st.integers(-(2**31) + 1, 2**31 - 1).filter(bool), st.integers(1, 2**32 - 1), st.integers(1, 2**39))
def test_global_factor_is_close(loss_difference: int, energy: int, eta_units: int) -> None:
    g, exponent = fp.global_factor(column(loss_difference), column(energy), eta_units)
    assert 2**14 <= abs(int(g[0])) < 2**15
    exact = -eta_units * 2.0**-28 * loss_difference / energy
    assert float(g[0]) * 2.0 ** int(exponent[0]) == pytest.approx(exact, rel=2**-12)


@given(st.lists(int16s, min_size=1, max_size=64))
def test_step_exponent_is_the_smallest_that_suffices(x: list[int]) -> None:
    h = int(fp.step_exponent(np.array([x]))[0])
    norm = 2**24 + sum(each * each for each in x)
    assert 2 ** (24 + h) >= norm
    assert h == 0 or 2 ** (23 + h) < norm


@given(st.integers(0, 12), st.integers(-60, 30), st.integers(0, 15))
def test_block_exponent_leaves_room_for_the_largest(h: int, exponent: int, largest: int) -> None:
    s, k, shortened = (int(each[0]) for each in fp.block_exponent(column(h), column(exponent), column(largest)))
    assert s in (8, 16, 24)
    assert k >= largest
    assert shortened or s + k == 12 + h - exponent
    assert not shortened or 12 + h - exponent - 8 < largest


# --- tables and losses ------------------------------------------------------------------------------------------------


def test_tables_are_exact_at_the_ends_monotonic_and_close_everywhere() -> None:
    f = np.arange(2**20 + 1)
    power, logarithm = fp.exp2neg(f), fp.log2table(f)
    assert np.abs(power / 2**24 - np.exp2(-f / 2**20)).max() <= 2**-20
    assert np.abs(logarithm / 2**24 - np.log2(1 + f / 2**20)).max() <= 2**-19
    assert (power[0], power[-1], logarithm[0], logarithm[-1]) == (2**24, 2**23, 0, 2**24)
    assert np.diff(power).max() < 0 < np.diff(logarithm).min()


@pytest.mark.thorough
@pytest.mark.parametrize(("classes", "spread"), [(2, 4096), (3, 32767), (10, 4096), (10, 32767), (200, 2000), (200, 32767)])
def test_cross_entropy_is_close_to_the_exact_loss(classes: int, spread: int) -> None:
    rng = np.random.default_rng(classes + spread)
    y = rng.integers(-spread, spread + 1, (20_000, classes))
    c = rng.integers(0, classes, 20_000)
    real = y / 4096
    largest = real.max(axis=1, keepdims=True)
    exact = np.log(np.exp(real - largest).sum(axis=1)) + largest[:, 0] - real[np.arange(len(y)), c]
    error = np.abs(fp.cross_entropy_loss(y, c) / 2**24 - exact).max()
    assert error <= 2**-19


@given(st.lists(st.tuples(int16s, int16s), min_size=1, max_size=10))
def test_squared_loss_counts_its_saturations(pairs: list[tuple[int, int]]) -> None:
    y, t = (np.array([each]) for each in zip(*pairs, strict=True))
    counts = column(0)
    loss = fp.squared_loss(y, t, counts)
    errors = [max(min(a - b, 32767), -32767) for a, b in pairs]
    assert loss[0] == min(sum(e * e for e in errors), 2**31 - 1)
    beyond = sum(abs(a - b) > 32767 for a, b in pairs)
    assert counts[0] == beyond + (sum(e * e for e in errors) > 2**31 - 1)


# --- noise ------------------------------------------------------------------------------------------------------------


@settings(max_examples=30)
@given(st.integers(1, 2000), st.integers(16, 4095), st.integers(0, 1000))
def test_noise_has_the_deviation_asked_for(spread: int, sigma: int, seed: int) -> None:
    ring = np.random.default_rng(seed).integers(30000 - spread, 30001 + spread, (1, 200))
    gain, shift = fp.noise_gain(fp.measured_deviation(ring), sigma)
    values = fp.noise_value(ring, ring.sum(axis=1, keepdims=True), gain[:, None], shift[:, None])
    assert values.std() == pytest.approx(sigma, rel=0.02, abs=1)
    assert abs(values.mean()) <= 1


def test_ring_keeps_the_newest_whatever_the_chunks() -> None:
    stream = np.random.default_rng(4).integers(0, 65536, 1000)
    rings = []
    for chunk in (1, 7, 200, 333, 1000):
        ring = fp.NoiseRing(1, 128, 0)
        for first in range(0, 1000, chunk):
            ring.put(stream[first : first + chunk])
        rings.append(ring)
    assert all((ring.codes == rings[0].codes).all() and (ring.total == rings[0].total).all() for ring in rings)
    assert sorted(rings[0].codes[0]) == sorted(stream[-200:])


@pytest.mark.parametrize("noise_std", [0.0, 20.0])
def test_a_constant_offset_of_the_source_changes_nothing(noise_std: float) -> None:
    results = []
    for offset in (0, 5000):
        model = fp.FixedNetwork(Network((2, 4, 1), noise_std=noise_std, seed=9))
        model.put_codes(codes(1, 200) + offset)
        results.append([int(model.train([4096, -4096], [2048])[0]) for _ in range(20)])
    assert results[0] == results[1]


# --- the network ------------------------------------------------------------------------------------------------------


@settings(max_examples=25)
@given(
    st.sampled_from([(2, 2, 2, 1), (4, 8, 3), (3, 2)]),
    st.sampled_from(list(Loss)),
    st.sampled_from(list(WeightFormat)),
    st.sampled_from(list(Rounding)),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.integers(0, 2**20),
)
@pytest.mark.thorough
def test_replicas_are_independent(
    sizes: tuple[int, ...],
    loss: Loss,
    weight_format: WeightFormat,
    rounding: Rounding,
    normalised: bool,
    antithetic: bool,
    decorrelate: bool,
    seed: int,
) -> None:
    if sizes[-1] == 1:
        loss = Loss.SQUARED
    network = Network(
        sizes,
        loss=loss,
        weight_format=weight_format,
        rounding=rounding,
        normalised=normalised,
        antithetic=antithetic,
        decorrelate=(decorrelate,) * (len(sizes) - 1),
        decorrelation_rate=0.001,
        learning_rate=0.1,
    )
    rng = np.random.default_rng(seed)
    seeds = [int(each) for each in rng.integers(1, 2**32, 3)]
    # Two levels: some replicas skip a step that others take.
    stream = rng.integers(500, 502, (3, 220))
    x = rng.integers(-8192, 8192, (20, 3, sizes[0]))
    t = rng.integers(0, sizes[-1] if loss else 4096, (20, 3, network.target_count))
    together = fp.FixedNetwork(network, seeds)
    alone = [fp.FixedNetwork(network, (each,)) for each in seeds]
    for place, model in [(slice(None), together), *((slice(r, r + 1), model) for r, model in enumerate(alone))]:
        model.put_codes(stream[place, :200])
        for step in range(20):
            model.put_codes(stream[place, 200 + step : 201 + step])
            model.train(x[step, place], t[step, place])
    for r, model in enumerate(alone):
        for a, b in zip(together.weights, model.weights, strict=True):
            assert (a[r] == b[0]).all()
        for one, other in zip(together.matrices, model.matrices, strict=True):
            if one is None or other is None:
                assert one is other
            else:
                assert (one[r] == other[0]).all()
        for name in ("random_state", "skipped", "saturations", "loss_sum", "last_loss", "deviation"):
            assert getattr(together, name)[r] == getattr(model, name)[0], name
        assert (together.predict(x[0])[r] == model.predict(x[0][r])[0]).all()


def test_predict_and_evaluate_leave_no_trace() -> None:
    model = fp.FixedNetwork(Network((4, 3), seed=5))
    model.put_codes(codes(0, 200))
    model.train([1, 2, 3, 4], [5, 6, 7])
    model.set_weights([np.full((3, 5), 32767)])
    before = (model.random_state.copy(), model.saturations.copy(), model.steps, model.weights[0].copy())
    assert (model.predict([32767] * 4) == 32767).all()
    model.evaluate([32767] * 4, [-32767, 0, 0])
    after = (model.random_state, model.saturations, model.steps, model.weights[0])
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_evaluation_of_a_known_network() -> None:
    model = fp.FixedNetwork(Network((2, 2), weight_format=WeightFormat.INT32))
    model.set_weights([[[2**28, 0, 0], [0, 2**28, 2**27]]])
    assert model.predict([4096, 2048]).tolist() == [[4096, 4096]]
    losses, correct = model.evaluate([4096, 2048], [0, 4096])
    assert losses[0] == 2**24
    assert not correct[0]
    classes = fp.FixedNetwork(Network((2, 2), loss=Loss.CROSS_ENTROPY))
    classes.set_weights([[[4096, 0, 0], [0, 4096, 0]]])
    losses, correct = classes.evaluate([0, 0], [0])
    assert losses[0] / 2**24 == pytest.approx(math.log(2), abs=2**-20)
    assert correct[0]


@pytest.mark.thorough
def test_xor_is_learned() -> None:
    rng = np.random.default_rng(3)
    model = fp.FixedNetwork(Network((2, 4, 1), learning_rate=0.1), range(1, 21))
    model.put_codes(rng.integers(480, 545, (20, 200)))
    patterns = 4096 * np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]])
    labels = 4096 * np.array([[-1], [1], [1], [-1]])
    for step in range(3000):
        model.put_codes(rng.integers(480, 545, (20, 2)))
        model.train(patterns[step % 4], labels[step % 4])
    solved = np.all([model.evaluate(x, t)[1] for x, t in zip(patterns, labels, strict=True)], axis=0)
    assert solved.mean() >= 0.8
    assert model.steps == 3000


@pytest.mark.thorough
def test_decorrelation_takes_the_correlation_out() -> None:
    rng = np.random.default_rng(8)
    model = fp.FixedNetwork(Network((3, 1), learning_rate=0.0, decorrelate=(True,), decorrelation_rate=2**-10))
    model.put_codes(codes(2, 200))
    mixing = np.array([[1, 0.8, 0], [0, 0.6, 0.5], [0, 0, 0.9]])
    for _ in range(6000):
        model.train(np.round(4096 * rng.standard_normal(3) @ mixing).astype(int).clip(-32767, 32767), [0])
    inputs = rng.standard_normal((2000, 3)) @ mixing
    matrix = model.matrices[0]
    assert matrix is not None
    after = np.corrcoef((inputs @ (matrix[0] / 2**14).T).T) - np.eye(3)
    assert np.abs(after).max() < 0.1 < np.abs(np.corrcoef(inputs.T) - np.eye(3)).max()


def test_learning_rate_can_change_and_stop() -> None:
    model = fp.FixedNetwork(Network((2, 4, 1)))
    model.put_codes(codes(3, 200))
    model.set_rates(0.0, 0.0)
    before = model.weights
    for _ in range(5):
        model.train([4096, 0], [4096])
    assert all((a == b).all() for a, b in zip(before, model.weights, strict=True))
    assert model.skipped[0] == 0
    model.set_rates(0.1, 0.0)
    model.train([4096, 0], [4096])
    assert any((a != b).any() for a, b in zip(before, model.weights, strict=True))
    with pytest.raises(NetworkError, match="learning rate"):
        model.set_rates(16.0, 0.0)


def test_parameters_go_out_and_in_unchanged() -> None:
    network = Network((3, 4, 2), decorrelate=(False, True), decorrelation_rate=0.001)
    model, other = fp.FixedNetwork(network, (1, 2)), fp.FixedNetwork(network, (3, 4))
    other.set_weights(model.weights)
    other.set_matrices(model.matrices)
    assert [w.dtype for w in other.weights] == [np.dtype(np.int16)] * 2
    assert [w.shape for w in other.weights] == [(2, 4, 4), (2, 2, 5)]
    assert all((a == b).all() for a, b in zip(model.weights, other.weights, strict=True))
    assert other.matrices[0] is None
    wide = fp.FixedNetwork(Network((3, 4, 2), weight_format=WeightFormat.INT32), (1, 2))
    assert all((a >> 16 == b).all() for a, b in zip(wide.weights, model.weights, strict=True))


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_training_without_noise_is_refused_and_changes_nothing() -> None:
    model = fp.FixedNetwork(Network((2, 1), seed=77))
    state = model.random_state.copy()
    model.put_codes([512] * 150)
    with pytest.raises(fp.NoiseError, match="150 of 200 codes; put 50 more"):
        model.train([0, 0], [0])
    model.put_codes([512] * 50)
    with pytest.raises(fp.NoiseError, match="replica 0"):
        model.train([0, 0], [0])
    assert (model.random_state == state).all()
    assert model.steps == 0
    model.put_codes(codes(5, 200))
    model.train([0, 0], [0])
    model.put_codes([512] * 200)  # the calibration stays
    model.train([0, 0], [0])
    assert model.skipped[0] == 1


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda m: m.train([0], [0]), "inputs must have shape"),
        (lambda m: m.train([32768, 0], [0]), "inputs must be"),
        (lambda m: m.train([0, 0], [3]), "classes are 0 .. 2"),
        (lambda m: m.evaluate([0, 0], [-1]), "classes are 0 .. 2"),
        (lambda m: m.predict([0.5, 0.0]), "integers"),
        (lambda m: m.put_codes([65536]), "ADC codes"),
        (lambda m: m.put_codes(np.zeros((2, 5), dtype=int)), "codes must be"),
        (lambda m: m.set_weights([]), "layers of weights"),
        (lambda m: m.set_weights([np.full((3, 3), -32768)]), "weights must be"),
        (lambda m: m.set_matrices([np.eye(2)]), "exactly these layers"),
        (lambda m: fp.FixedNetwork(m.network, ()), "seeds"),
        (lambda m: fp.FixedNetwork(m.network, (0,)), "seeds"),
    ],
)
def test_values_that_do_not_fit_are_refused(call: Any, error: str) -> None:
    model = fp.FixedNetwork(Network((2, 3), loss=Loss.CROSS_ENTROPY))
    model.put_codes(codes(6, 200))
    with pytest.raises((ValueError, TypeError), match=error):
        call(model)
