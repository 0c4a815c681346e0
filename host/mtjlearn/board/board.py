"""The client API: one object for a board, its methods for what a user wants of it.

All values are the device's integers (shared/numerics.md): inputs, targets, outputs and int16 weights Q3.12, int32
weights Q3.28, matrices Q1.14.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np
import numpy.typing as npt

from mtjlearn.board import blobs, samples
from mtjlearn.board.noise import stream_noise
from mtjlearn.board.refusals import refused
from mtjlearn.board.results import BoardInfo, Evaluation, NoiseChunk, NoiseRecording
from mtjlearn.network import RATE_BITS, Loss, Network, WeightFormat
from mtjlearn.wire import messages
from mtjlearn.wire.command import Command
from mtjlearn.wire.connection import Connection
from mtjlearn.wire.errors import BoardError, BoardLost, BoardRefused, PortError
from mtjlearn.wire.link import OPEN_TIMEOUT, LinkCounters
from mtjlearn.wire.messages import BlobKind, Features, Message, State
from mtjlearn.wire.transport import BAUD, SerialTransport, Transport

_RETRY = 0.1

Integers = npt.NDArray[np.integer]
Answer = TypeVar("Answer", bound=Message)


class Board:
    """An open board. Use `Board.open`, or `mtjlearn.discovery.open_board`, as a context manager.

    Every method raises BoardLost when the board vanishes (noticed at once where the port tells, else within 2 s) and
    BoardRefused when the board refuses; both are BoardError, and their text says what to do.

    Args:
        open_transport: opens the line; called again to reconnect.
        timeout: seconds to wait for an answer while opening.
        owned: closed together with the board, e.g. the process of a virtual board.
    """

    def __init__(
        self,
        open_transport: Callable[[], Transport],
        timeout: float = OPEN_TIMEOUT,
        owned: AbstractContextManager[Any] | None = None,
    ) -> None:
        self._open_transport = open_transport
        self._timeout = timeout
        self._owned = owned
        self._network: Network | None = None
        self._telemetry_interval = 0
        self._acknowledged = 0
        self._connection = Connection(open_transport(), timeout)

    @classmethod
    def open(
        cls,
        url: str,
        *,
        baud: int = BAUD,
        log: str | os.PathLike[str] | None = None,
        timeout: float = OPEN_TIMEOUT,
    ) -> Self:
        """Opens a board at a port or pyserial URL.

        Args:
            url: ``/dev/ttyACM0``, ``COM3``, the path of a pseudo-terminal, ``socket://127.0.0.1:4000``.
            baud: bits a second; boards with native USB and virtual boards ignore it.
            log: file for the raw log of the link (`mtjlearn.wire.linklog`); an existing one is continued.
            timeout: seconds to wait for an answer; opening the port restarts some boards.

        Raises:
            PortMissing, PortBusy, PortForbidden, PortError: the port cannot be opened.
            BoardTimeout: nothing answers there.
            VersionMismatch: its firmware speaks another protocol version.
        """
        return cls(lambda: SerialTransport(url, baud, log), timeout)

    def close(self) -> None:
        """Gives the port back, and ends what the board owns."""
        self._connection.close()
        if self._owned is not None:
            self._owned.__exit__(None, None, None)
            self._owned = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    # --- what it is ---

    @property
    def info(self) -> BoardInfo:
        """What the board said of itself when the session opened."""
        return BoardInfo.of(self._connection.welcome, self._connection.transport.name)

    @property
    def network(self) -> Network | None:
        """The network that configure() set up."""
        return self._network

    @property
    def acknowledged_samples(self) -> int:
        """Training samples since configure() that the board acknowledged: each was trained exactly once."""
        return self._acknowledged

    @property
    def link(self) -> LinkCounters:
        """Frames sent, sent again, damaged and so on in this session."""
        return self._connection.counters

    # --- set-up ---

    def configure(self, network: Network, *, injected: bool = False) -> None:
        """Sets up a network: fresh weights from its seed, all counters 0.

        Args:
            network: sizes, formats, rule and rates.
            injected: the noise codes come from inject() alone, instead of the board's ADC.

        Raises:
            BoardError: the firmware lacks something that the network needs.
            BoardRefused: e.g. TOO_LARGE, with the number of bytes missing.
        """
        self._check_features(network, injected)
        assert network.rounding is not None
        options = messages.Options.NORMALISED * network.normalised | messages.Options.ANTITHETIC * network.antithetic
        message = messages.Configure(
            loss=network.loss,
            weight_format=network.weight_format,
            rounding=network.rounding,
            options=options,
            decorrelate=sum(1 << layer for layer, flag in enumerate(network.decorrelate) if flag),
            noise_source=messages.NoiseSource.INJECTED if injected else messages.NoiseSource.ADC,
            sigma=network.sigma_q,
            noise_std=network.noise_std_q,
            learning_rate=network.learning_rate_q,
            decorrelation_rate=network.decorrelation_rate_q,
            seed=network.seed,
            sizes=np.array(network.sizes, np.uint16),
        )
        self._finish(self._connection.execute(message), network)
        self._network = network
        self._acknowledged = 0

    def set_rates(self, learning_rate: float, decorrelation_rate: float | None = None) -> None:
        """Changes the learning rates from the next sample on; None keeps the decorrelation rate of the network."""
        network = self._configured()
        rate = network.decorrelation_rate if decorrelation_rate is None else decorrelation_rate
        self.execute(messages.SetRates(round(learning_rate * 2**RATE_BITS), round(rate * 2**RATE_BITS)))

    def weights(self) -> list[Integers]:
        """The weights of each layer, shape (units, fan-in + 1), the bias last; int16 or int32."""
        return self._get_blob(BlobKind.WEIGHTS)

    def set_weights(self, weights: Sequence[Integers]) -> None:
        """Replaces all weights at once; arrays as weights() returns them."""
        self._set_blob(BlobKind.WEIGHTS, weights)

    def matrices(self) -> list[Integers]:
        """The matrices of the decorrelated layers, shape (fan-in, fan-in), int16 Q1.14."""
        return self._get_blob(BlobKind.DECORRELATION)

    def set_matrices(self, matrices: Sequence[Integers]) -> None:
        """Replaces all decorrelation matrices at once; arrays as matrices() returns them."""
        self._set_blob(BlobKind.DECORRELATION, matrices)

    # --- learning ---

    def train(self, x: Integers, target: Integers, *, on_progress: Callable[[int], None] | None = None) -> int:
        """Trains one step with each sample, in order; returns when the board has acknowledged all of them.

        Args:
            x: inputs Q3.12, shape (n, inputs).
            target: Q3.12, shape (n, outputs) or (n,) with one output; classes, shape (n,), with cross-entropy.
            on_progress: called now and then with the samples acknowledged in this call so far.

        Returns:
            Samples trained in this call.

        Raises:
            ValueError: naming the value that does not fit.
            BoardRefused, BoardLost: acknowledged_samples then tells what was trained. The same after Ctrl-C.
        """
        network = self._configured()
        rows = samples.checked_samples(network, x, target)
        width = samples.VALUE_BYTES * rows.shape[1]
        before = self._acknowledged

        def count(command: Command) -> None:
            if command.refusal is None:
                self._acknowledged += len(command.payload) // width
                if on_progress is not None:
                    on_progress(self._acknowledged - before)

        try:
            self._stream(samples.train_commands(rows, self._max_payload), count)
        except BoardRefused:
            # Which of the frames on their way were refused may be in doubt; the board's own count is not.
            self._acknowledged = self.status().steps
            raise
        return self._acknowledged - before

    def predict(self, x: Integers) -> npt.NDArray[np.int16]:
        """Outputs Q3.12 without noise, shape (n, outputs), for inputs of shape (n, inputs)."""
        network = self._configured()
        inputs = samples.checked_inputs(network, x)
        outputs: list[npt.NDArray[np.int16]] = []

        def collect(command: Command) -> None:
            if isinstance(command.answer, messages.Prediction):
                outputs.append(command.answer.outputs)

        self._stream(samples.predict_commands(inputs, network.sizes[-1], self._max_payload), collect)
        joined = np.concatenate(outputs) if outputs else np.zeros(0, np.int16)
        if joined.size != len(inputs) * network.sizes[-1]:
            raise BoardError(f"the board sent {joined.size} outputs for {len(inputs)} inputs; configure it again")
        return joined.reshape(len(inputs), network.sizes[-1])

    def evaluate(self, x: Integers, target: Integers) -> Evaluation:
        """Loss and accuracy on samples, without noise and without learning; arrays as for train()."""
        rows = samples.checked_samples(self._configured(), x, target)
        self._stream(samples.evaluate_commands(rows, self._max_payload))
        return Evaluation.of(self._ask(messages.GetMetrics(), messages.Metrics))

    def telemetry(self, interval: int) -> None:
        """Asks for telemetry every so many training steps; 0: none."""
        self.execute(messages.SetTelemetry(interval))
        self._telemetry_interval = interval

    def take_telemetry(self) -> list[messages.Telemetry]:
        """What telemetry has come since the last call, in order. What got lost shows as a gap in `sequence`."""
        waiting = self._connection.telemetry
        return [waiting.popleft() for _ in range(len(waiting))]

    def status(self) -> messages.Status:
        """Where the board stands: steps, skipped, saturations, losses, noise buffer, last error."""
        return self._ask(messages.GetStatus(), messages.Status)

    # --- noise ---

    def inject(self, codes: Integers) -> None:
        """Feeds ADC codes (0 .. 65535, shape (n,)), oldest first; only after configure(injected=True)."""
        step = self._max_payload // samples.VALUE_BYTES
        values = np.asarray(codes)
        if values.ndim != 1 or values.dtype.kind not in "iu" or (values.size and (values.min() < 0 or values.max() > 65535)):
            raise ValueError("noise codes are whole numbers 0 .. 65535, shape (n,)")
        parts = (values[start : start + step] for start in range(0, len(values), step))
        self._stream(Command.of(messages.Inject(part.astype(np.uint16))) for part in parts)

    def noise(self, count: int, *, burst: int = 0, on_progress: Callable[[int], None] | None = None) -> NoiseRecording:
        """Records noise codes.

        Args:
            count: codes wanted, at least 1.
            burst: 0: every code that the line can carry; else contiguous bursts of this many, up to 200.
            on_progress: called with the codes received so far.

        Raises:
            BoardTimeout: the board sends none.
        """
        chunks: list[NoiseChunk] = []
        received = 0
        with stream_noise(self, self._connection, count, burst) as stream:
            for chunk in stream:
                chunks.append(chunk)
                received += len(chunk.codes)
                if on_progress is not None:
                    on_progress(received)
        return NoiseRecording.of(chunks, self.info.adc_rate)

    def noise_stream(self, *, burst: int = 0) -> AbstractContextManager[Iterator[NoiseChunk]]:
        """Noise codes without end, as a context manager that gives an iterator and ends the stream when it is left.

        Other methods may be called meanwhile. The next chunk's `first` shows whether codes are missing in between.
        """
        return stream_noise(self, self._connection, 0, burst)

    def stop(self) -> None:
        """Ends a noise stream and telemetry."""
        self.execute(messages.Stop())
        self._telemetry_interval = 0

    def stop_noise(self) -> None:
        """Ends a noise stream; telemetry goes on."""
        interval = self._telemetry_interval
        self.stop()
        if interval:
            self.telemetry(interval)

    # --- life ---

    def reset(self) -> None:
        """Restarts the board and opens a new session; its network is gone.

        Raises:
            BoardError: it did not restart.
            BoardTimeout: it does not come back.
        """
        boots = self.info.boot_count
        # A board that restarts at once may not get its acknowledgement out, and then seems lost.
        with suppress(BoardLost):
            self.execute(messages.Reset())
        try:
            self._connection.restart(self._timeout)
        except BoardLost:
            self._reopen()
        self._forget()
        if self.info.boot_count == boots and self.status().state is not State.UNCONFIGURED:
            raise BoardError("the board did not restart; press its reset button")

    def reconnect(self) -> bool:
        """Opens the port again and begins a new session.

        Returns:
            Whether the board kept its network. If so, acknowledged_samples is now what the board counted: it may have
            trained samples whose acknowledgement got lost. Otherwise configure() it again.

        Raises:
            PortError, BoardTimeout, VersionMismatch: as open().
        """
        boots = self.info.boot_count
        self._reopen()
        self._telemetry_interval = 0
        status = self.status()
        if self.info.boot_count != boots or status.state == State.UNCONFIGURED:
            self._forget()
            return False
        self._acknowledged = status.steps
        return self._network is not None

    def execute(self, message: Message) -> Message | None:
        """Sends one message of the protocol; returns the board's answer, or None when it has none but the ACK.

        The methods above serve all common needs; this is for tools and tests.
        """
        command = self._connection.execute(message)
        self._finish(command, self._network)
        return command.answer

    def _check_features(self, network: Network, injected: bool) -> None:
        features = self.info.features
        missing = [
            what
            for needed, feature, what in (
                (any(network.decorrelate), Features.DECORRELATION, "decorrelation: train with --rule anp"),
                (network.loss is Loss.CROSS_ENTROPY, Features.CROSS_ENTROPY, "cross-entropy: take the squared loss"),
                (network.weight_format is WeightFormat.INT32, Features.INT32_WEIGHTS, "int32 weights: take int16"),
                (not injected, Features.ADC_LIVE, "noise source of its own: inject noise codes"),
            )
            if needed and feature not in features
        ]
        if missing:
            raise BoardError(f"the firmware of {self.info.name} has no {missing[0]}, or flash a newer one")

    @property
    def _max_payload(self) -> int:
        return self._connection.welcome.max_payload

    def _configured(self) -> Network:
        if self._network is None:
            raise BoardError("the board has no network yet; call configure() first")
        return self._network

    def _forget(self) -> None:
        self._network = None
        self._telemetry_interval = 0
        self._acknowledged = 0

    def _finish(self, command: Command, network: Network | None) -> None:
        if command.refusal is not None:
            raise refused(command, network)

    def _ask(self, question: Message, kind: type[Answer]) -> Answer:
        answer = self.execute(question)
        assert isinstance(answer, kind)
        return answer

    def _stream(self, commands: Iterable[Command], done: Callable[[Command], None] = lambda command: None) -> None:
        bad = self._connection.stream(commands, done)
        if bad is not None:
            raise refused(bad, self._network)

    def _get_blob(self, kind: BlobKind) -> list[Integers]:
        network = self._configured()
        total = sum(rows * columns for rows, columns in blobs.shapes(network, kind))
        parts: list[bytes] = []

        def collect(command: Command) -> None:
            if isinstance(command.answer, messages.Blob):
                parts.append(command.answer.data)

        size = total * blobs.dtype(network, kind).itemsize
        self._stream(blobs.get_commands(kind, size, self._max_payload), collect)
        try:
            return blobs.from_bytes(network, kind, b"".join(parts))
        except ValueError as error:
            raise BoardError(f"the board has another network than it was configured with ({error}); configure it again") from None

    def _set_blob(self, kind: BlobKind, arrays: Sequence[Integers]) -> None:
        data = blobs.to_bytes(self._configured(), kind, arrays)
        self._stream(blobs.set_commands(kind, data, self._max_payload))

    def _reopen(self) -> None:
        self._connection.close()
        until = time.monotonic() + self._timeout
        while True:
            try:
                transport = self._open_transport()
                break
            except PortError:
                # A port goes away and comes back while a board restarts or its cable is plugged in again.
                if time.monotonic() >= until:
                    raise
                time.sleep(_RETRY)
        self._connection = Connection(transport, self._timeout)
