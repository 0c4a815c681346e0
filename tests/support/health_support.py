"""The board's tests of the noise source, loaded as a library, next to their model."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from mtjlearn.inprocess.device import DeviceNoise, Preset
from mtjlearn.inprocess.loader import Library
from mtjlearn.noise.health import HealthLimits
from mtjlearn.noise.health_monitor import HealthMonitor
from mtjlearn.wire.messages import NoiseFault

LIMITS = ("repetitions", "window", "ones_min", "ones_max", "switches_min")
COUNTS = ("run", "position", "ones", "switches", "different", "lag", "last_ones", "last_switches", "windows", "state")
FAULTS = ("fault", "last_fault", "faults", "fault_code", "seen_low", "seen_high")

_library = Library(
    """
struct watch_options {
    uint64_t seed;
    uint32_t adc_rate;
    uint16_t adc_reference;
    uint8_t adc_bits, noise, preset;
};
struct watch_state {
    uint32_t windows, fault_code, codes;
    uint16_t level_low, level_high, run, position, ones, switches, different, lag;
    uint16_t last_ones, last_switches, seen_low, seen_high, faults;
    uint16_t repetitions, window, ones_min, ones_max, switches_min;
    uint8_t state, fault, last_fault;
};
struct watch *watch_create(const struct watch_options *options);
void watch_destroy(struct watch *watch);
void watch_set_limits(struct watch *watch, uint16_t repetitions, uint16_t window, uint16_t ones_min, uint16_t ones_max,
                      uint16_t switches_min);
void watch_feed(struct watch *watch, const uint16_t *codes, uint8_t count);
bool watch_calibrate(struct watch *watch);
void watch_silence(struct watch *watch);
void watch_become(struct watch *watch, uint8_t noise);
void watch_observe(struct watch *watch, double deviation);
uint32_t watch_run(struct watch *watch, uint32_t codes);
uint32_t watch_attempts(struct watch *watch, uint32_t attempts);
struct watch_state watch_state(const struct watch *watch);
"""
)


class Watch:
    """Noise buffer and tests of one converter, in C, with a virtual junction."""

    def __init__(
        self,
        adc_rate: int = 9615,
        *,
        seed: int = 1,
        noise: DeviceNoise = DeviceNoise.SMTJ,
        preset: Preset = Preset.RECORDING,
        adc_bits: int = 10,
        adc_reference: int = 1100,
    ) -> None:
        self.ffi, self._lib = _library.load()
        options = {
            "seed": seed,
            "adc_rate": adc_rate,
            "adc_reference": adc_reference,
            "adc_bits": adc_bits,
            "noise": int(noise),
            "preset": int(preset),
        }
        self._watch = self.ffi.gc(self._lib.watch_create(self.ffi.new("struct watch_options *", options)), self._lib.watch_destroy)

    def set_limits(self, limits: HealthLimits) -> None:
        self._lib.watch_set_limits(self._watch, *(getattr(limits, name) for name in LIMITS))

    def feed(self, codes: Iterable[int]) -> None:
        data = np.fromiter(codes, dtype="<u2")
        self._lib.watch_feed(self._watch, self.ffi.cast("uint16_t *", self.ffi.from_buffer(data)), data.size)

    def calibrate(self) -> bool:
        return bool(self._lib.watch_calibrate(self._watch))

    def silence(self) -> None:
        self._lib.watch_silence(self._watch)

    def become(self, noise: DeviceNoise) -> None:
        self._lib.watch_become(self._watch, int(noise))

    def observe(self, deviation: float) -> None:
        self._lib.watch_observe(self._watch, deviation)

    def run(self, codes: int) -> int:
        return int(self._lib.watch_run(self._watch, codes))

    def attempts(self, count: int) -> int:
        return int(self._lib.watch_attempts(self._watch, count))

    def settle(self) -> None:
        """Fills the buffer and calibrates, again while the source is refused; then runs past the windows of those faults."""
        self.run(200)
        while not self.calibrate():
            self.run(200)

    @property
    def state(self) -> object:
        return self._lib.watch_state(self._watch)

    @property
    def limits(self) -> HealthLimits:
        state = self.state
        return HealthLimits(**{name: getattr(state, name) for name in LIMITS})

    @property
    def fault(self) -> NoiseFault:
        return NoiseFault(self.state.fault)  # type: ignore[attr-defined]


def difference(watch: Watch, monitor: HealthMonitor) -> dict[str, tuple[int, int]]:
    """What the C and the model do not agree on."""
    state = watch.state
    expected = {name: int(getattr(monitor, name)) for name in (*COUNTS, *FAULTS)}
    low, high = monitor.levels or (state.level_low, 0)  # type: ignore[attr-defined]
    expected |= {"level_low": low, "level_high": high, "codes": monitor.received}
    return {name: (getattr(state, name), value) for name, value in expected.items() if getattr(state, name) != value}


def false_alarms(adc_rate: int, codes: int, seed: int) -> tuple[int, int]:
    """Alarms of the paper's healthy junction from the calibration on, and how many codes were tested."""
    watch = Watch(adc_rate, seed=seed)
    watch.settle()
    first = watch.state.codes  # type: ignore[attr-defined]
    while (tested := watch.state.codes - first) < codes:  # type: ignore[attr-defined]
        watch.run(codes - tested)
    return watch.state.faults, tested  # type: ignore[attr-defined]


def latency(adc_rate: int, fault: DeviceNoise, seed: int) -> tuple[int, Watch]:
    """Codes from a fault's first one to the one that shows it, that one included; and the tests at that point."""
    watch = Watch(adc_rate, seed=seed)
    watch.settle()
    watch.run(5000 + 37 * seed % 4096)  # anywhere in a window
    assert watch.fault is NoiseFault.NONE
    first = watch.state.codes  # type: ignore[attr-defined]
    watch.become(fault)
    watch.run(100 * adc_rate)
    return watch.state.fault_code - first + 1, watch  # type: ignore[attr-defined]


def latency_bound(adc_rate: int, fault: DeviceNoise) -> int:
    """Codes within which a fault is detected (shared/numerics.md, section 12)."""
    limits = HealthLimits.of_junction(adc_rate)
    if fault is DeviceNoise.SLOW:
        return 2 * limits.window
    if fault is DeviceNoise.DRIFTING:
        # A quarter of the split and half a code, from a level that is rounded, seen through the look's noise; a tenth a second.
        split = (48.0 - 36.2) * 1024 / 1100
        return round((split / 4 + 0.5 + 0.5 + 0.5) / (0.1 * split) * adc_rate) + limits.window + 128
    return limits.repetitions + 1
