"""The in-process device: the whole device in this process, driven by calls alone.

Bytes, noise codes and time come from the caller, so a run repeats exactly and needs no waiting: for tests that put
faults between host and device.
"""

from __future__ import annotations

import enum

import numpy as np
from numpy.typing import NDArray

from mtjlearn.inprocess.loader import Library
from mtjlearn.wire.messages import ResetCause

_DEFINITIONS = """
struct memory_options {
    uint64_t seed;
    uint32_t arena, adc_rate;
    uint16_t adc_reference, codes_per_step, receive_window, memory_bytes, memory_block, memory_latency;
    uint8_t adc_bits, max_payload, noise, preset;
    bool real_time;
};
struct memory_board *memory_create(const struct memory_options *options);
void memory_destroy(struct memory_board *memory);
void memory_push(struct memory_board *memory, const uint8_t *bytes, uint32_t count);
uint32_t memory_poll(struct memory_board *memory, uint32_t turns);
uint32_t memory_take(struct memory_board *memory, uint8_t *bytes, uint32_t most);
void memory_set_room(struct memory_board *memory, uint32_t bytes);
void memory_set_micros(struct memory_board *memory, uint32_t micros);
void memory_feed(struct memory_board *memory, const uint16_t *codes, uint32_t count);
void memory_set_noise(struct memory_board *memory, uint8_t noise);
bool memory_queue(struct memory_board *memory, const uint16_t *codes, uint32_t count);
uint32_t memory_queued(const struct memory_board *memory);
void memory_set_analog(struct memory_board *memory, uint8_t pin, uint16_t code);
uint8_t *memory_contents(struct memory_board *memory);
uint32_t memory_writes(const struct memory_board *memory);
void memory_cut_power(struct memory_board *memory, uint32_t writes, uint8_t torn, bool erased);
bool memory_is_dead(const struct memory_board *memory);
void memory_restart(struct memory_board *memory, uint8_t cause);
uint32_t memory_boots(const struct memory_board *memory);
"""

TRANSMIT = 8192
"""Bytes that can wait for the host."""
SENSOR = 0xFFFF
"""What set_analog() accepts for a pin that follows its virtual sensor again."""
TURNS = 10_000
"""Turns of the device's main loop after which poll() returns although the device is busy."""

_library = Library(_DEFINITIONS)


class DeviceNoise(enum.IntEnum):
    """What is at the virtual ADC's pin (firmware/virtual/smtj.h)."""

    SMTJ = 0
    GAUSSIAN = 1
    BERNOULLI = 2
    STUCK = 3
    OPEN = 4
    SHORT = 5
    SATURATING = 6
    SLOW = 7
    DRIFTING = 8


class Preset(enum.IntEnum):
    """Voltages at the virtual ADC's pin."""

    RECORDING = 0
    BENCH = 1


class InProcessDevice:
    """One device; any number of them may exist.

    Args:
        seed: of the virtual sMTJ, 0 .. 2^64 - 1.
        codes_per_step: codes of the virtual sMTJ that arrive for each training step, up to 1024; 0: codes come from
            feed() alone.
        noise: what is at the pin.
        preset: voltages at the pin.
        adc_bits: resolution of the codes, 1 .. 16.
        adc_rate: codes per second, not 0.
        adc_reference: voltage of full scale in mV, not 0.
        arena: memory for a network, bytes.
        max_payload: 64 .. 240 bytes.
        receive_window: bytes that the receiver holds, up to 65,535; more are lost and counted, as on a chip.
        memory_bytes: nonvolatile memory, up to 65,535 and a multiple of the block; 0: none. It outlives restart().
        memory_block: bytes of it that are erased together; 1: bytes are written alone.
        memory_latency: how often it says that it is not ready after a write, up to 65,535.
        real_time: codes are due whatever the device does, as on a chip, by the clock of set_micros(); else the clock is virtual.
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        codes_per_step: int = 0,
        noise: DeviceNoise = DeviceNoise.SMTJ,
        preset: Preset = Preset.RECORDING,
        adc_bits: int = 10,
        adc_rate: int = 9615,
        adc_reference: int = 1100,
        arena: int = 65536,
        max_payload: int = 240,
        receive_window: int = 4096,
        memory_bytes: int = 16384,
        memory_block: int = 1,
        memory_latency: int = 0,
        real_time: bool = False,
    ) -> None:
        if not (0 <= codes_per_step <= 1024 and 1 <= adc_bits <= 16 and 64 <= max_payload <= 240):
            raise ValueError("codes_per_step is 0 .. 1024, adc_bits 1 .. 16, max_payload 64 .. 240")
        if adc_rate == 0 or adc_reference == 0:
            raise ValueError("adc_rate and adc_reference must not be 0")
        if memory_block < 1 or memory_bytes % memory_block:
            raise ValueError("memory_bytes must be whole blocks")
        self.memory_bytes = memory_bytes
        self._codes_per_step = codes_per_step
        self._ffi, self._lib = _library.load()
        options = self._ffi.new(
            "struct memory_options *",
            {
                "seed": seed,
                "arena": arena,
                "adc_rate": adc_rate,
                "adc_reference": adc_reference,
                "codes_per_step": codes_per_step,
                "receive_window": receive_window,
                "memory_bytes": memory_bytes,
                "memory_block": memory_block,
                "memory_latency": memory_latency,
                "adc_bits": adc_bits,
                "max_payload": max_payload,
                "noise": int(noise),
                "preset": int(preset),
                "real_time": real_time,
            },
        )
        pointer = self._lib.memory_create(options)
        if pointer == self._ffi.NULL:
            raise MemoryError(f"no memory for a board with an arena of {arena} bytes")
        self._memory = self._ffi.gc(pointer, self._lib.memory_destroy)
        self._taken = self._ffi.new("uint8_t[]", TRANSMIT)

    def push(self, data: bytes) -> None:
        """Bytes from the host arrive in the device's receiver."""
        self._lib.memory_push(self._memory, self._ffi.from_buffer("uint8_t[]", data), len(data))

    def poll(self, turns: int = TURNS) -> int:
        """Lets the device work until it has nothing to do, at most this many turns of its main loop.

        One turn handles at most 32 received bytes. Returns how many turns it took.
        """
        return int(self._lib.memory_poll(self._memory, turns))

    def take(self, most: int = TRANSMIT) -> bytes:
        """What the device has sent since the last call, at most this many bytes."""
        count = self._lib.memory_take(self._memory, self._taken, min(most, TRANSMIT))
        return bytes(self._ffi.buffer(self._taken, count))

    def exchange(self, data: bytes) -> bytes:
        """Pushes bytes, lets the device work and takes what it sends."""
        self.push(data)
        self.poll()
        return self.take()

    def set_room(self, count: int) -> None:
        """Bytes that may wait for the host from now on, up to 8192; 0: the host has stopped reading."""
        self._lib.memory_set_room(self._memory, count)

    def set_micros(self, micros: int) -> None:
        """Sets the device's clock, microseconds mod 2^32. It runs with the virtual sMTJ, and stands still without."""
        self._lib.memory_set_micros(self._memory, micros % 2**32)

    def feed(self, codes: NDArray[np.integer]) -> None:
        """ADC codes, shape (n,), arrive at the converter; it keeps the newest 1024 that the device has not taken."""
        data = np.ascontiguousarray(codes, dtype="<u2")
        self._lib.memory_feed(self._memory, self._ffi.from_buffer("uint16_t[]", data), data.size)

    def queue(self, codes: NDArray[np.integer]) -> None:
        """ADC codes, shape (n,), arrive instead of the virtual sMTJ's from now on: codes_per_step for each training step.

        Once they have run out none arrive, so the device waits. More may be queued before and after; they outlive
        restart().

        Raises:
            ValueError: if the board has no codes_per_step.
        """
        if not self._codes_per_step:
            raise ValueError("queue() needs codes_per_step; without, use feed()")
        data = np.ascontiguousarray(codes, dtype="<u2")
        if not self._lib.memory_queue(self._memory, self._ffi.from_buffer("uint16_t[]", data), data.size):
            raise MemoryError(f"no memory for {data.size} codes")

    @property
    def queued(self) -> int:
        """Codes of queue() that have not arrived yet."""
        return int(self._lib.memory_queued(self._memory))

    def set_noise(self, noise: DeviceNoise) -> None:
        """Changes what is at the pin from now on."""
        self._lib.memory_set_noise(self._memory, int(noise))

    def set_analog(self, pin: int, code: int) -> None:
        """Another analog pin, 1 .. 7, gives this code from now on; SENSOR: its virtual sensor's (sensors.h)."""
        if not (1 <= pin <= 7 and 0 <= code <= SENSOR):
            raise ValueError("pins are 1 .. 7, codes 0 .. 65,534 or SENSOR")
        self._lib.memory_set_analog(self._memory, pin, code)

    @property
    def memory(self) -> bytes:
        """The contents of the nonvolatile memory; may be set to as many bytes."""
        return bytes(self._ffi.buffer(self._lib.memory_contents(self._memory), self.memory_bytes))

    @memory.setter
    def memory(self, contents: bytes) -> None:
        if len(contents) != self.memory_bytes:
            raise ValueError(f"the memory has {self.memory_bytes} bytes, not {len(contents)}")
        self._ffi.buffer(self._lib.memory_contents(self._memory), self.memory_bytes)[:] = contents

    @property
    def memory_writes(self) -> int:
        """Writes of the nonvolatile memory so far, of a byte or block each. What would change nothing is none."""
        return int(self._lib.memory_writes(self._memory))

    def cut_power(self, after_writes: int, torn: int = 0xFF, *, erased: bool = False) -> None:
        """Cuts the power at a write of the nonvolatile memory; from then on the board is dead until restart().

        Args:
            after_writes: the how manieth write from now is the last, and torn; 0: none is.
            torn: of a byte the bits that are new; the others are as before, or 1 if it was erased already. Of a larger
                block: 0: nothing is new; 255: all is; else its bytes are random, or, if it was erased already, the
                first torn/256 of them are new and the rest 255.
            erased: the cut comes after the erasure.
        """
        self._lib.memory_cut_power(self._memory, after_writes, torn, erased)

    @property
    def is_dead(self) -> bool:
        """Whether the power was cut."""
        return bool(self._lib.memory_is_dead(self._memory))

    def restart(self, cause: ResetCause = ResetCause.POWER_ON) -> None:
        """The device starts again; bytes and codes on their way are lost, the nonvolatile memory is kept.

        After a power cycle RAM holds rubbish, after other causes the device's last error is kept.
        """
        self._lib.memory_restart(self._memory, int(cause))

    @property
    def boots(self) -> int:
        """Starts of the device, resets included."""
        return int(self._lib.memory_boots(self._memory))
