"""Junctions from barriers to codes: dwell times and duty, ensembles, the read-out circuit, and their noise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mtjlearn.fixedpoint import NoiseError
from mtjlearn.noise import (
    PRESETS,
    BarrierModel,
    Element,
    Ensemble,
    ReadOut,
    RingBuffer,
    SimulatedCircuit,
    SimulatedSmtj,
    characterise,
    circuit,
    simulated_recording,
)
from mtjlearn.noise.smtj import BOLTZMANN, RECORDED_SWITCHING_PROBABILITY, SimulatedAdc, dwell_time, ensemble_rate

RATE = 40_000.0


def test_the_recorded_junction_needs_a_barrier_of_12_kt() -> None:
    model = BarrierModel.of_rate(PRESETS["recording"].rate, critical=10.0)
    assert model.kt == pytest.approx(12.55, abs=0.01)
    up, down = model.probabilities(0.0, RATE)
    assert up == pytest.approx(RECORDED_SWITCHING_PROBABILITY)
    assert down == pytest.approx(RECORDED_SWITCHING_PROBABILITY)


@pytest.mark.parametrize("exponent", [1.0, 2.0])
def test_dwell_times_follow_equation_5_and_duty_is_logistic(exponent: float) -> None:
    model = BarrierModel.of_kt(14.0, 8.0, exponent=exponent, balance=1.5)
    drive = np.linspace(-3, 6, 19)
    reduced = (drive - 1.5) / 8
    parallel, antiparallel = model.dwells(drive)
    unit = BOLTZMANN * 300
    np.testing.assert_allclose(parallel, [dwell_time(14 * unit * (1 - h) ** exponent) for h in reduced])
    np.testing.assert_allclose(antiparallel, [dwell_time(14 * unit * (1 + h) ** exponent) for h in reduced])
    np.testing.assert_allclose(model.duty(drive), antiparallel / (parallel + antiparallel))
    np.testing.assert_allclose(model.duty(drive), 1 / (1 + np.exp(-2 * exponent * 14 * reduced)))
    assert np.all(np.diff(model.duty(drive)) > 0)
    for duty in (0.02, 0.5, 0.7):
        assert model.duty(model.drive(duty)) == pytest.approx(duty, rel=1e-9)


def test_heat_shortens_dwell_times_and_flattens_the_duty() -> None:
    cold = BarrierModel.of_mev(320.0, 5.0, temperature=280.0)
    warm = cold.at(320.0)
    assert warm.barrier == cold.barrier
    assert warm.rate(0.0) > 5 * cold.rate(0.0)
    assert warm.duty(0.5) < cold.duty(0.5)
    assert cold.kt == pytest.approx(320e-3 / (8.617333262e-5 * 280))


def test_models_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="barrier must be positive"):
        BarrierModel(0.0, 1.0)
    with pytest.raises(ValueError, match="temperature must be positive"):
        BarrierModel(1e-20, 1.0, temperature=float("nan"))
    model = BarrierModel.of_kt(2.0, 4.0, balance=1.0)
    with pytest.raises(ValueError, match=r"outside -3 \.\. 5 removes a barrier"):
        model.duty([0.0, 5.0])
    with pytest.raises(ValueError, match="no drive gives a duty"):
        model.drive(0.9999)
    with pytest.raises(ValueError, match=r"outside 0 \.\. 1"):
        model.drive(1.0)


def test_a_biased_junction_has_its_duty_and_probabilities() -> None:
    model = BarrierModel.of_rate(3530.0, 10.0)
    junction = model.junction(model.drive(0.7), 0.0362, 0.0480)
    recording = simulated_recording(SimulatedSmtj.of_junction(junction, RATE, seed=2), 100_000, RATE)
    summary = characterise(recording)
    up, down = model.probabilities(model.drive(0.7), RATE)
    assert summary.duty == pytest.approx(0.7, abs=0.02)
    assert summary.up == pytest.approx(float(up), rel=0.04)
    assert summary.down == pytest.approx(float(down), rel=0.04)


@pytest.mark.parametrize("wiring", ["series", "parallel"])
def test_equal_junctions_have_n_plus_1_levels_distinct_ones_2_to_the_n(wiring: str) -> None:
    element = Element.of_rate(3000.0, 6000.0, 2000.0)
    resistances, shares = Ensemble.of_equal(element, 4, wiring).levels()
    assert resistances.size == 5
    np.testing.assert_allclose(shares, stats.binom.pmf(np.arange(5), 4, 0.5))
    assert np.all(np.diff(resistances) > 0)
    elements = tuple(Element.of_rate(3000.0, 6000.0 + 137 * 2**place, 2000.0) for place in range(4))
    resistances, shares = Ensemble(elements, wiring).levels()
    assert resistances.size == 16
    assert shares.sum() == pytest.approx(1)
    states = (np.arange(16)[:, None] >> np.arange(4) & 1).astype(bool)
    np.testing.assert_allclose(np.sort(Ensemble(elements, wiring).resistance(states)), resistances)


def test_series_adds_resistances_and_parallel_conductances() -> None:
    elements = (Element.of_rate(3000.0, 6000.0, 1e3), Element.of_rate(2000.0, 5000.0, 1e3))
    assert Ensemble(elements).resistance([True, False]) == pytest.approx(8000)
    assert Ensemble(elements, "parallel").resistance([True, False]) == pytest.approx(1500)


def test_the_rate_of_an_ensemble_is_the_sum_of_the_inverse_dwell_times() -> None:
    elements = (Element(3000.0, 6000.0, 2e-4, 6e-4), Element.of_rate(3000.0, 5000.0, 1500.0))
    ensemble = Ensemble(elements)
    assert ensemble.rate == pytest.approx(1 / 4e-4 + 1500)
    assert ensemble.rate == ensemble_rate([element.dwell for element in elements])
    source = SimulatedCircuit(ensemble, ReadOut(observation=0), 1e6, seed=3)
    volts = source.volts(400_000)[0, :, 0]
    assert np.count_nonzero(np.diff(volts)) / 0.4 == pytest.approx(ensemble.rate, rel=0.06)
    resistances, shares = ensemble.levels()
    found, counts = np.unique(volts, return_counts=True)
    np.testing.assert_allclose(found, source.readout.volts(resistances))
    np.testing.assert_allclose(counts / volts.size, shares, atol=0.05)


def test_ensembles_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="R_P must be positive and below R_AP"):
        Element.of_rate(6000.0, 3000.0, 1.0)
    with pytest.raises(ValueError, match="dwell times"):
        Element(1.0, 2.0, 0.0, 1.0)
    with pytest.raises(ValueError, match="at least one junction"):
        Ensemble(())
    with pytest.raises(ValueError, match="use series or parallel"):
        Ensemble((Element.of_rate(1.0, 2.0, 1.0),), "mesh")
    many = tuple(Element.of_rate(1.0, 2.0 + 2.0**-place, 1.0) for place in range(25))
    with pytest.raises(ValueError, match="more than 1,048,576 levels"):
        Ensemble(many).levels()


def test_the_bench_of_the_paper_gives_96_and_187_millivolts_and_their_codes() -> None:
    readout = ReadOut(observation=0)
    volts = readout.volts(np.array([3000.0, 6000.0]))
    np.testing.assert_allclose(volts, [0.0961, 0.1868], atol=1e-4)
    np.testing.assert_array_equal(volts, [PRESETS["bench"].low, PRESETS["bench"].high])
    np.testing.assert_array_equal(readout.codes(volts), [19, 38])
    np.testing.assert_array_equal(ReadOut(bits=14).codes(volts), [314, 612])
    np.testing.assert_array_equal(readout.codes(np.array([-1.0, 9.0])), [0, 1023])


@pytest.mark.parametrize("changed", [{"supply": 0.0}, {"cutoff": -1.0}, {"observation": -1e-3}, {"bits": 17}])
def test_read_outs_that_cannot_be(changed: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"must|1 to 16 bits"):
        ReadOut(**changed)


@pytest.mark.parametrize("cutoff", [None, 500.0, 5000.0])
def test_mean_and_deviation_behind_a_low_pass(cutoff: float | None) -> None:
    element = Element(3000.0, 6000.0, 2.8e-4, 4.2e-4)
    source = SimulatedCircuit(Ensemble.of_equal(element, 2), ReadOut(cutoff=cutoff), RATE, seed=5)
    volts = source.volts(150_000)
    assert volts.mean() == pytest.approx(source.mean, rel=0.02)
    assert volts.std() == pytest.approx(source.deviation, rel=0.03)
    if cutoff is not None:
        assert source.deviation < SimulatedCircuit(source.ensemble, ReadOut(), RATE).deviation


def test_a_low_pass_settles_like_an_rc_circuit_across_calls() -> None:
    element = Element(3000.0, 6000.0, 1e-9, 1e6)
    readout = ReadOut(cutoff=200.0, observation=0)
    source = SimulatedCircuit(Ensemble((element,)), readout, 10_000.0)
    source._state[:] = True
    source._filtered[:] = readout.volts(np.array([3000.0]))
    volts = np.concatenate([source.volts(5)[0, :, 0], source.volts(15)[0, :, 0]])
    low, high = readout.volts(np.array([3000.0, 6000.0]))
    np.testing.assert_allclose(volts, high - (high - low) * np.exp(-2 * np.pi * 200 * np.arange(1, 21) / 10_000), rtol=1e-9)


def test_a_low_pass_that_hardly_filters_is_refused() -> None:
    with pytest.raises(ValueError, match="hardly filters 40000 samples per second; omit it above 81,487 Hz"):
        SimulatedCircuit(Ensemble((Element.of_rate(1.0, 2.0, 1.0),)), ReadOut(cutoff=1e6), RATE)


@pytest.mark.parametrize("layout", ["single", "per_node"])
def test_a_circuit_is_a_noise_source_of_the_reference(layout: str) -> None:
    ensemble = Ensemble.of_equal(Element.of_rate(3000.0, 6000.0, 3530.0), 3)
    source = SimulatedCircuit(ensemble, ReadOut(), RATE, 0.1, layout, units=6, replicas=4, seed=1)
    values = source.draw(12, 400)
    assert values.shape == (400, 4, 12)
    assert values.mean() == pytest.approx(0, abs=0.02)
    assert values.std() == pytest.approx(0.1, rel=0.06)
    steps = values.reshape(400, 4, 2, 6)
    passes = float(np.mean(steps[:, :, 0] * steps[:, :, 1]) / values.var())
    units = float(np.mean(steps[..., :-1] * steps[..., 1:]) / values.var())
    expected = 1 - 2 * RECORDED_SWITCHING_PROBABILITY
    if layout == "per_node":
        assert passes == pytest.approx(expected, abs=0.06)
        assert units == pytest.approx(0, abs=0.1)
    else:
        assert units == pytest.approx(expected, abs=0.06)


def test_a_circuit_feeds_the_ring_of_codes() -> None:
    source = SimulatedCircuit(Ensemble((Element.of_rate(3000.0, 6000.0, 3530.0),)), ReadOut(), 9615.0, replicas=2, seed=4)
    ring = RingBuffer(source.read, 0.1, [1, 2], codes_per_step=4)
    assert ring.draw(10, 50).std() == pytest.approx(0.1, rel=0.2)
    quiet = SimulatedCircuit(Ensemble((Element.of_rate(3.0, 6.0, 3530.0),)), ReadOut(observation=0), 9615.0)
    with pytest.raises(NoiseError, match="no noise"):
        RingBuffer(quiet.read, 0.1, [1], codes_per_step=4).draw(10)


def test_the_same_seed_gives_the_same_recording() -> None:
    def recorded(seed: int) -> np.ndarray:
        ensemble = Ensemble.of_equal(Element.of_rate(3000.0, 6000.0, 3530.0), 2)
        return simulated_recording(SimulatedCircuit(ensemble, ReadOut(cutoff=4000.0), RATE, seed=seed), 500, RATE).values

    np.testing.assert_array_equal(recorded(7), recorded(7))
    assert not np.array_equal(recorded(7), recorded(8))


def test_a_circuit_of_many_states_is_simulated_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    ensemble = Ensemble.of_equal(Element.of_rate(3000.0, 6000.0, 3530.0), 5)
    monkeypatch.setattr(circuit, "_AT_ONCE", 9_973)
    source = SimulatedCircuit(ensemble, ReadOut(cutoff=2000.0), RATE, units=3, layout="per_node", replicas=2, seed=1)
    volts = source.volts(4000)
    assert volts.shape == (2, 4000, 3)
    assert volts.std() == pytest.approx(source.deviation, rel=0.1)
    assert np.abs(np.diff(volts, axis=1)).max() < 5 * source.deviation


@pytest.mark.parametrize("bits", [0, 17])
def test_a_converter_has_1_to_16_bits(bits: int) -> None:
    with pytest.raises(ValueError, match=f"1 to 16 bits, not {bits}"):
        SimulatedAdc(PRESETS["recording"], bits=bits)
