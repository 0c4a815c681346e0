"""The hardware abstraction: all that the device needs of a board. A board is one object of a subclass of Board; main.py hands it
to the device and calls turn.poll() forever. Methods never block. What has no default must be overridden; the rest may be.

The C firmware's counterpart is firmware/src/board.h.
"""

if False:
    from kinds import Storage, array

import messages


class Board:
    """The attributes, with what a board that says nothing else has, and the callbacks."""

    name = "micropython"
    """At most 11 characters."""
    build = 0
    """Checksum of the sources, from whoever starts or copies them; 0: unknown."""
    arena_bytes = 0
    """Bytes that a network may use, counted as the C firmware counts them (learner.arena_bytes)."""
    arena: array[int] = None
    """That memory: the device allocates it at its first start, since a later one may find the heap in pieces."""
    receive_window = 0
    """Encoded bytes that may wait in the receiver."""
    max_payload = 240
    """Bytes, 64 .. 240."""
    features = messages.FEATURES_ADC_LIVE
    """FEATURES_ADC_LIVE, FEATURES_VIRTUAL_CLOCK; the device adds its own."""
    adc_bits = 0
    adc_rate = 0
    """Codes per second."""
    adc_reference = 0
    """mV at full scale."""
    line_rate = 0
    """Bytes per second; 0: no limit known."""
    storage: Storage = None
    """Where checkpoints and a dataset are kept without power; None: the board has no such memory."""
    memory_bytes = 0
    """Bytes of it that the device may use, at most 65,535; 0 without storage."""
    memory_block = 1
    """Bytes of it that a power cut may take together; 1: files are written so that none is lost."""
    has_analog = False
    """Whether analog() can be called."""
    restart = False
    """The device is to begin again: reset() was called. main.py takes it back."""

    def read(self, buffer: bytearray) -> int:
        """Takes received bytes, at most as many as `buffer` holds, into its beginning; returns how many."""
        raise NotImplementedError

    def write_room(self) -> int:
        """Bytes that write() would take now."""
        raise NotImplementedError

    def write(self, buffer: bytearray | memoryview, count: int) -> None:
        """Queues the first `count` bytes of `buffer` for sending, which are copied. The device writes whole frames, never more than
        write_room() just returned.
        """
        raise NotImplementedError

    def receive_overruns(self) -> int:
        """Bytes lost in the receiver since the start, mod 2^16."""
        return 0

    def adc_read(self, codes: array[int]) -> int:
        """Takes ADC codes, oldest first, at most as many as the array of uint16 `codes` holds; returns how many. Fewer mean that
        there are no more now, or that a hole follows.
        """
        raise NotImplementedError

    def adc_lost(self) -> int:
        """Codes lost since the start because nobody took them, mod 2^32, up to those that the last adc_read() returned. adc_read()
        returns none from beyond a loss together with ones from before it, so that a hole always lies between two calls.
        """
        raise NotImplementedError

    def advance(self) -> None:
        """Called where time must pass for the device to continue: once before every training step, and while it waits for codes. A
        board with a virtual clock lets the codes of one step arrive; a real board does nothing.
        """

    def micros(self) -> int:
        """A clock in microseconds, mod 2^32. May allocate."""
        raise NotImplementedError

    def clock(self) -> int:
        """The same clock in units of 1,024 us, mod 2^16: called in each turn. A board whose micros() may be no small integer
        overrides it.
        """
        return self.micros() >> 10 & 0xFFFF

    def led(self, on: int) -> None:
        """Shows that the device learns: called after training steps with 0 or 1, which changes every 256 steps."""

    def analog(self, pin: int) -> int:
        """Code of another analog pin, 1 .. 7 for A1 .. A7, in the ADC's resolution; takes less than a millisecond, and the noise
        codes of that time count as lost.
        """
        raise NotImplementedError

    def begin(self, cause: int | None, error: int) -> "Start":
        """Called by main.py before each start of the device: returns what is known of it. A board that counts its starts
        overrides it.

        Args:
            cause: RESET_CAUSE_..., of a restart without one of the chip; None: the program has just started.
            error: what the device left in Start.error before; 0 at first.
        """
        return Start(1, messages.RESET_CAUSE_UNKNOWN if cause is None else cause, error)

    def reset(self) -> None:
        """Restarts the device once what was written has left. May return: then `restart` is True, and main.py begins it again."""
        self.restart = True

    def wait(self, busy: bool) -> bool:
        """Called by main.py after each turn with whether there was something to do: sends what is queued, feeds a watchdog, sleeps
        until there is something to do again. Returns whether the board continues.
        """
        return True

    def failed(self, error: Exception) -> None:
        """Called by main.py with an exception that a turn raised, which is a fault of the firmware: the device begins again."""


class Start:
    """What the board knows of its start.

    Attributes:
        boot_count: starts of this device, if it can count them; else 1.
        reset_cause: RESET_CAUSE_...
        last_error: what was in `error` before this start; 0 if that was not kept.
        error: where the device keeps its last error.
    """

    def __init__(self, boot_count: int, reset_cause: int, last_error: int = 0) -> None:
        self.boot_count = boot_count
        self.reset_cause = reset_cause
        self.last_error = last_error
        self.error = 0
