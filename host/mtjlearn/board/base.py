"""An open board and its session: opens and closes it, sends it single messages, restarts it, finds it again."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from types import TracebackType
from typing import Any, Self, TypeVar

from mtjlearn import interruption
from mtjlearn.board import blobs
from mtjlearn.board.refusals import refused
from mtjlearn.board.results import BoardInfo
from mtjlearn.network import Network
from mtjlearn.wire import messages
from mtjlearn.wire.command import Command
from mtjlearn.wire.connection import Connection
from mtjlearn.wire.errors import BoardError, BoardLost, BoardRefused, PortError
from mtjlearn.wire.linklog import LogFile
from mtjlearn.wire.messages import BlobKind, Message, Restored, State
from mtjlearn.wire.session import OPEN_TIMEOUT, LinkCounters
from mtjlearn.wire.transport import BAUD, LoggedTransport, SerialTransport, Transport

_RETRY = 0.1
_LARGEST_BLOB = 1 << 24
"""Bytes of a blob, at most: more than any network has that the protocol allows."""
KEPT = frozenset((Restored.NEWEST, Restored.OLDER, Restored.NO_DATASET))
"""What a board says that came up with the network of a checkpoint."""

Answer = TypeVar("Answer", bound=Message)


class BoardBase:
    """What all parts of :class:`mtjlearn.board.Board` share. Use that.

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
        self._connection = Connection(open_transport(), timeout)
        self._boots = self.info.boot_count
        self._counted = (0, 0)
        """Samples, and what the connection had counted by then."""

    @classmethod
    def open(
        cls,
        url: str,
        *,
        baud: int = BAUD,
        log: str | os.PathLike[str] | LogFile | None = None,
        timeout: float = OPEN_TIMEOUT,
    ) -> Self:
        """Opens a board at a port or pyserial URL.

        Args:
            url: ``/dev/ttyACM0``, ``COM3``, the path of a pseudo-terminal, ``socket://127.0.0.1:4000``.
            baud: bits per second; boards with native USB and virtual boards ignore it.
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

    def __repr__(self) -> str:
        """What and where it is, and what it learns; nothing is asked of the board."""
        info = self.info
        network = "no known network" if self._network is None else self._network.name
        return f"<Board {info.name} at {info.url}, firmware {info.build}, {network}, {self.acknowledged_samples:,} samples trained>"

    # --- what it is ---

    @property
    def info(self) -> BoardInfo:
        """What the board said of itself when the session opened."""
        return BoardInfo.of(self._connection.welcome, self._connection.transport.name)

    @property
    def network(self) -> Network | None:
        """The network that configure() set up, or adopt() or load_checkpoint() found."""
        return self._network

    @property
    def acknowledged_samples(self) -> int:
        """Training samples since configure() that the board acknowledged: each was trained exactly once."""
        samples, trained = self._counted
        network = self._network
        return samples if network is None else samples + self._connection.trained - trained

    @property
    def link(self) -> LinkCounters:
        """Frames sent, sent again, damaged and so on in this session."""
        return self._connection.counters

    @property
    def log_problem(self) -> str | None:
        """Why the raw log of the link ends early; None if it does not."""
        transport = self._connection.transport
        return transport.log_problem if isinstance(transport, LoggedTransport) else None

    def status(self) -> messages.Status:
        """Where the board stands: steps, skipped, saturations, losses, noise buffer, last error."""
        return self._ask(messages.GetStatus(), messages.Status)

    def execute(self, message: Message) -> Message | None:
        """Sends one message of the protocol; returns the board's answer, or None when it has none but the ACK.

        The methods of the board serve all common needs; this is for tools and tests.
        """
        command = self._connection.execute(message)
        self._finish(command, self._network)
        return command.answer

    # --- life ---

    def reset(self) -> None:
        """Restarts the board and opens a new session. Its network is gone, unless it has a checkpoint: see adopt().

        Raises:
            BoardError: it did not restart.
            BoardTimeout: it does not come back.
        """
        boots = self.info.boot_count
        self._forget()
        # A board that restarts at once may not get its acknowledgement out, and then seems lost.
        with suppress(BoardLost):
            self.execute(messages.Reset())
        try:
            self._connection.restart(self._timeout)
        except BoardLost:
            self._reopen()
        self._boots = self.info.boot_count
        self._count_from(0)
        restored = self.info.restored in KEPT
        if self.info.boot_count == boots and not restored and self.status().state != State.UNCONFIGURED:
            raise BoardError("the board did not restart; press its reset button")

    def reconnect(self) -> bool:
        """Opens the port again and begins a new session.

        Returns:
            Whether the board kept its network. If so, acknowledged_samples is now what the board counted: it may have
            trained samples whose acknowledgement got lost. Otherwise configure() it again; a board that restarted with
            a checkpoint has the network of that time, which adopt() takes over.

        Raises:
            PortError, BoardTimeout, VersionMismatch: as open().
        """
        try:
            self._reopen()
            self._telemetry_interval = 0
            status = self.status()
            if self.info.boot_count != self._boots or status.state == State.UNCONFIGURED:
                self._forget()
            self._count_from(0 if self._network is None else status.steps)
            self._boots = self.info.boot_count
        except BaseException:
            # Half done, it must not pass for the board of before; what is known of that stays for the next attempt.
            self._connection.close()
            raise
        return self._network is not None

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
                interruption.check()
        self._connection = Connection(transport, self._timeout)

    def _forget(self) -> None:
        self._network = None
        self._telemetry_interval = 0
        self._count_from(0)

    @contextmanager
    def _in_doubt(self) -> Iterator[None]:
        """While the board changes its network it has no known one, and after an interruption neither; a refusal changes nothing."""
        network, self._network = self._network, None
        try:
            yield
        except BoardRefused:
            self._network = network
            raise

    def _count_from(self, samples: int) -> None:
        """The board has trained this many until now."""
        self._counted = (samples, self._connection.trained)

    # --- for the parts of the board ---

    @property
    def _max_payload(self) -> int:
        return self._connection.welcome.max_payload

    @property
    def _takes_parts(self) -> bool:
        """Whether a sample may be longer than a frame."""
        return messages.Features.LONG_SAMPLES in self.info.features

    def _configured(self) -> Network:
        if self._network is None:
            raise BoardError("the network on the board is unknown; call configure(), or adopt() the present one")
        return self._network

    def _finish(self, command: Command, network: Network | None) -> None:
        if command.refusal is not None:
            raise refused(command, network, self.info)

    def _ask(self, question: Message, kind: type[Answer]) -> Answer:
        answer = self.execute(question)
        assert isinstance(answer, kind)
        return answer

    def _stream(self, commands: Iterable[Command], done: Callable[[Command], None] = lambda command: None) -> None:
        bad = self._connection.stream(commands, done)
        if bad is not None:
            raise refused(bad, self._network, self.info)

    def _read_blob(self, kind: BlobKind, check: Callable[[], object] = lambda: None) -> bytes:
        """All of a blob, as long as the board says it is.

        Args:
            kind: which.
            check: called after the first chunk and before the last, unless they are one.
        """
        first = self._ask(messages.GetBlob(kind, 0), messages.Blob)
        if first.total > _LARGEST_BLOB:
            raise BoardError(f"the board announces {first.total:,} bytes, more than any board can have; reset it")
        parts = [first.data]

        def collect(command: Command) -> None:
            assert isinstance(command.answer, messages.Blob)
            parts.append(command.answer.data)

        rest = list(blobs.get_commands(kind, len(first.data), first.total, self._max_payload))
        if rest:
            check()
            self._stream(rest[:-1], collect)
            check()
            self._stream(rest[-1:], collect)
        return b"".join(parts)

    def _write_blob(self, kind: BlobKind, data: bytes, on_progress: Callable[[int, int], None] | None = None) -> None:
        sent = 0

        def count(command: Command) -> None:
            nonlocal sent
            sent += len(command.payload) - messages.SetBlob.LAYOUT.size
            if on_progress is not None and command.refusal is None:
                on_progress(sent, len(data))

        self._stream(blobs.set_commands(kind, data, self._max_payload), count)
