"""The client API: one object for a board, its methods for what a user wants of it.

All values are the device's integers (shared/numerics.md): inputs, targets, outputs and int16 weights Q3.12, int32
weights Q3.28, matrices Q1.14.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager

import numpy as np
import numpy.typing as npt

from mtjlearn.board import blobs, samples
from mtjlearn.board.autonomy import Autonomy
from mtjlearn.board.checkpoints import Checkpoints
from mtjlearn.board.health import NoiseHealth
from mtjlearn.board.noise import stream_noise
from mtjlearn.board.results import Evaluation, NoiseChunk, NoiseRecording
from mtjlearn.network import RATE_BITS, Network, check_device
from mtjlearn.wire import messages
from mtjlearn.wire.command import Command
from mtjlearn.wire.errors import BoardError, BoardRefused, ImplausibleAnswer
from mtjlearn.wire.messages import BlobKind, Error

_READINGS = 20
"""Attempts to read weights at one step, of a board that learns autonomously."""

Integers = npt.NDArray[np.integer]


class Board(Autonomy, Checkpoints, NoiseHealth):
    """An open board. Use `Board.open`, or `mtjlearn.discovery.open_board`, as a context manager.

    Every method raises BoardLost when the board vanishes (noticed at once where the port reports it, else within 2 s) and
    BoardRefused when the board refuses; both are BoardError, and their text says what to do.

    Args:
        open_transport: opens the line; called again to reconnect.
        timeout: seconds to wait for an answer while opening.
        owned: closed together with the board, e.g. the process of a virtual board.
    """

    # --- set-up ---

    def configure(self, network: Network, *, injected: bool = False) -> None:
        """Sets up a network: fresh weights from its seed, all counters 0.

        Args:
            network: sizes, formats, rule and rates.
            injected: the noise codes come from inject() alone, instead of the board's ADC.

        Raises:
            NetworkError: no device can learn the network.
            BoardError: the firmware lacks something that the network needs.
            BoardRefused: e.g. TOO_LARGE, with the number of bytes missing.
        """
        self._check_features(network, injected)
        message = configure_message(network, injected=injected)
        with self._in_doubt():
            self._finish(self._connection.execute(message), network)
        self._count_from(0)
        self._network = network

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

        It warns when all inputs, or all targets, are next to nothing, as 1 is 1/4096.

        Args:
            x: inputs Q3.12, shape (n, inputs).
            target: Q3.12, shape (n, outputs) or (n,) with one output; classes, shape (n,), with cross-entropy.
            on_progress: called now and then with the samples acknowledged in this call so far.

        Returns:
            Samples trained in this call.

        Raises:
            ValueError: naming the value that does not fit; of real numbers, how to quantise them.
            BoardRefused, BoardLost: acknowledged_samples then shows what was trained. The same after Ctrl-C.
        """
        network = self._configured()
        rows = samples.checked_samples(network, x, target)
        samples.warn_of_tiny(network, rows)
        before = self.acknowledged_samples
        trained = 0

        def count(command: Command) -> None:
            nonlocal trained
            if command.refusal is None:
                trained += command.samples
                if on_progress is not None:
                    on_progress(trained)

        try:
            self._stream(samples.train_commands(rows, self._max_payload, self._long_inputs(network)), count)
        except BoardRefused as refusal:
            # Which of the frames on their way were refused may be in doubt; the board's own count is not.
            steps = self.status().steps
            most = before + len(rows)
            learns_alone = refusal.code == Error.BUSY
            if not (before <= steps <= most or learns_alone):
                raise ImplausibleAnswer(f"the board says steps {steps} in STATUS, of {before} to {most} sent") from None
            self._count_from(steps)
            raise
        return self.acknowledged_samples - before

    def predict(self, x: Integers) -> npt.NDArray[np.int16]:
        """Outputs Q3.12 without noise, shape (n, outputs), for inputs of shape (n, inputs)."""
        network = self._configured()
        inputs = samples.checked_inputs(network, x)
        outputs: list[npt.NDArray[np.int16]] = []

        def collect(command: Command) -> None:
            if isinstance(command.answer, messages.Prediction):
                outputs.append(command.answer.outputs)

        self._stream(samples.predict_commands(inputs, network.sizes[-1], self._max_payload, self._takes_parts), collect)
        joined = np.concatenate(outputs) if outputs else np.zeros(0, np.int16)
        if joined.size != len(inputs) * network.sizes[-1]:
            raise BoardError(f"the board sent {joined.size} outputs for {len(inputs)} inputs; configure it again")
        return joined.reshape(len(inputs), network.sizes[-1])

    def evaluate(self, x: Integers, target: Integers) -> Evaluation:
        """Loss and accuracy on samples, without noise and without learning; arrays as for train()."""
        network = self._configured()
        rows = samples.checked_samples(network, x, target)
        self._stream(samples.evaluate_commands(rows, self._max_payload, self._long_inputs(network)))
        return Evaluation.of(self._ask(messages.GetMetrics(), messages.Metrics))

    def telemetry(self, interval: int) -> None:
        """Asks for telemetry every this many training steps; 0: none."""
        self.execute(messages.SetTelemetry(interval))
        self._telemetry_interval = interval

    def take_telemetry(self) -> list[messages.Telemetry]:
        """What telemetry has come since the last call, in order. What got lost shows as a gap in `sequence`."""
        waiting = self._connection.telemetry
        return [waiting.popleft() for _ in range(len(waiting))]

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
        """Ends a noise stream; telemetry continues."""
        interval = self._telemetry_interval
        self.stop()
        if interval:
            self.telemetry(interval)

    def _long_inputs(self, network: Network) -> int:
        return network.sizes[0] if self._takes_parts else 0

    def _get_blob(self, kind: BlobKind) -> list[Integers]:
        """One reading of all arrays. A board that learns autonomously pauses until it has sent the last chunk; that is checked."""
        network = self._configured()
        if not blobs.shapes(network, kind):
            return []
        for _ in range(_READINGS):
            steps: set[int] = set()
            data = self._read_blob(kind, lambda steps=steps: steps.add(self.status().steps))  # type: ignore[misc]
            if len(steps) > 1:
                continue
            try:
                return blobs.from_bytes(network, kind, data)
            except ValueError as error:
                raise BoardError(f"{error}, so the board has another network now; configure it, or adopt() that one") from None
        raise BoardError(f"the board kept learning during {_READINGS} readings; halt it first")

    def _set_blob(self, kind: BlobKind, arrays: Sequence[Integers]) -> None:
        self._write_blob(kind, blobs.to_bytes(self._configured(), kind, arrays))


def configure_message(network: Network, *, injected: bool = False) -> messages.Configure:
    """CONFIGURE for a network; arguments and NetworkError as for Board.configure()."""
    check_device(network)
    assert network.rounding is not None
    return messages.Configure(
        loss=network.loss,
        weight_format=network.weight_format,
        rounding=network.rounding,
        options=messages.Options.NORMALISED * network.normalised | messages.Options.ANTITHETIC * network.antithetic,
        decorrelate=sum(1 << layer for layer, flag in enumerate(network.decorrelate) if flag),
        noise_source=messages.NoiseSource.INJECTED if injected else messages.NoiseSource.ADC,
        rule=network.rule_code,
        slope=network.shift,
        sigma=network.sigma_q,
        noise_std=network.noise_std_q,
        learning_rate=network.learning_rate_q,
        decorrelation_rate=network.decorrelation_rate_q,
        seed=network.seed,
        sizes=np.array(network.sizes, np.uint16),
    )
