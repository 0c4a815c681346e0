"""The virtual board's serial line: a pseudo-terminal, or a TCP port on the loopback interface. Never blocks: what a client does
not read waits in a bounded queue. firmware/virtual/line.c behaves alike.

Anything on the machine reaches a TCP port, a web page in its browser too. So a client must begin with a frame's delimiter and
send a HELLO soon, else it is dropped; until then nothing is sent to it. A client that comes while there is one is given an ERR
and closed.
"""

if False:
    from kinds import Client, NoReturn, Stream

import errno
import os
import select
import socket
import struct
import sys
import time

import frame
import messages

_TRANSMIT = 8192
"""Bytes that may wait for the client."""
_RECEIVE = 4096
_GREETING_MS = 5000
"""Within which a TCP client sends HELLO."""
_LEAVING_MS = 1000
"""Within which one that is turned away sends it, and reads why."""
_LEAVING_READS = 16
"""Of what it sends, each time that it is looked at: it may send faster than it is read."""
_POLLRDHUP = 0x2000
"""Linux's: the client has closed its end. Elsewhere poll() ignores it."""
_IPPROTO_TCP = 6
_TCP_NODELAY = 1
_FIRST_FREE = 32768
_FREE = 28232
"""Ports of which any may be taken, and how many are tried."""
_TRIES = 100


def _fail(what: str, error: OSError) -> NoReturn:
    sys.stderr.write("mtjlearn-micropython: {}: {}\n".format(what, _reason(error)))
    sys.exit(1)


def _reason(error: OSError) -> str:
    return str(errno.errorcode.get(error.errno, error.errno))


class Line:
    """What both kinds share: the queues in both directions.

    Attributes:
        url: what a client opens.
        stream: the connection; None: no client.
    """

    def __init__(self, stream: Stream | None, url: str) -> None:
        self.stream = stream
        self.url = url
        self._transmit = bytearray(_TRANSMIT)
        self._transmit_view = memoryview(self._transmit)
        self._received = bytearray(_RECEIVE)
        self._clear()

    def _clear(self) -> None:
        self._transmit_start = 0
        self.transmit_count = 0
        self._receive_start = 0
        self._receive_end = 0

    def _drop_client(self) -> None:
        """The client is gone; what was meant for it is of no use to the next."""

    def _welcomes(self, count: int) -> bool:
        """Whether the bytes that came are a host's."""
        return True

    def accept(self) -> None:
        """Takes the next client, if there is none now and one waits."""

    @property
    def waits_for(self) -> Client | None:
        """What becomes readable when a client comes, or one that is turned away says something; None: nothing."""

    def read(self, buffer: bytearray) -> int:
        """Takes received bytes, at most as many as the buffer holds; returns how many."""
        if self._receive_start == self._receive_end:
            if self.stream is None:
                return 0
            try:
                got = self.stream.readinto(self._received)
            except OSError:
                got = 0
            if got is None:
                return 0
            if got == 0 or not self._welcomes(got):
                self._drop_client()
                return 0
            self._receive_start = 0
            self._receive_end = got
        start = self._receive_start
        taken = min(len(buffer), self._receive_end - start)
        for i in range(taken):
            buffer[i] = self._received[start + i]
        self._receive_start = start + taken
        return taken

    def room(self) -> int:
        """Bytes that write() takes now; none without a client."""
        return 0 if self.stream is None else _TRANSMIT - self.transmit_count

    def write(self, buffer: bytearray | memoryview, count: int) -> None:
        """Queues at most room() bytes."""
        end = (self._transmit_start + self.transmit_count) % _TRANSMIT
        first = min(count, _TRANSMIT - end)
        self._transmit_view[end : end + first] = memoryview(buffer)[:first]
        self._transmit_view[: count - first] = memoryview(buffer)[first:count]
        self.transmit_count += count

    def flush(self) -> bool:
        """Sends what the client takes now. Returns whether that made room."""
        before = self.transmit_count
        while self.transmit_count and self.stream is not None:
            start = self._transmit_start
            try:
                sent = self.stream.write(self._transmit_view[start : min(start + self.transmit_count, _TRANSMIT)])
            except OSError:
                self._drop_client()
                break
            if not sent:
                break
            self._transmit_start = (start + sent) % _TRANSMIT
            self.transmit_count -= sent
        return self.transmit_count < before


class Terminal(Line):
    """A pseudo-terminal that was opened by whoever started this process: this port cannot unlock one.

    Args:
        inherited: descriptor of its end, non-blocking, and the path of the other, as "3:/dev/pts/5"; None: there is none.
    """

    def __init__(self, inherited: str | None) -> None:
        try:
            descriptor, path = (inherited or "").split(":", 1)
            stream = open(int(descriptor), "r+b")  # noqa: SIM115
        except (ValueError, OSError):
            sys.stderr.write("mtjlearn-micropython: cannot open a pseudo-terminal; try --tcp 0\n")
            sys.exit(1)
        super().__init__(stream, path)


class Tcp(Line):
    """A port of 127.0.0.1.

    Args:
        port: 0: any free one.
    """

    def __init__(self, port: int) -> None:
        try:
            listener, port = _listen(port)
        except OSError as error:
            _fail("cannot serve port {}; try --tcp 0".format(port), error)
        super().__init__(None, "socket://127.0.0.1:{}".format(port))
        self._listener = listener
        self._leaving: Client | None = None
        """A client that is being turned away."""
        self._leaving_since = self._since = time.ticks_ms()
        self._told = False
        """It was sent the reason."""
        self._poll = select.poll()
        self._begin_greeting()

    def _begin_greeting(self) -> None:
        self._knocked = self._greeted = False
        self._since = time.ticks_ms()
        self._knock = frame.Decoder(bytearray(frame.receive_bytes(messages.MIN_PAYLOAD)), messages.MIN_PAYLOAD)

    def room(self) -> int:
        """Bytes that write() takes now; none before the client's HELLO."""
        return super().room() if self._greeted else 0

    def _drop_client(self) -> None:
        if self.stream is not None:
            self._poll.unregister(self.stream)
            self.stream.close()
            self.stream = None
        self._clear()

    def _welcome_client(self, stream: Client) -> None:
        try:
            stream.setsockopt(_IPPROTO_TCP, _TCP_NODELAY, 1)
        except OSError:
            # It is gone already.
            stream.close()
            return
        self._poll.register(stream, _POLLRDHUP)
        self.stream = stream
        self._begin_greeting()

    def _welcomes(self, count: int) -> bool:
        """Looks for the HELLO in what came. False: this is not a host."""
        if self._greeted:
            return True
        if not self._knocked and self._received[0] != 0:
            return False
        self._knocked = True
        at = 0
        knock = self._knock
        while at < count and not self._greeted:
            found = knock.decode(self._received, at, count) == frame.FRAME
            at += knock.taken
            self._greeted = found and knock.type() == messages.TYPE_HELLO and knock.session() == messages.SESSION_NONE
        return True

    @property
    def waits_for(self) -> Client | None:
        """What becomes readable when a client comes, or one that is turned away says something."""
        return self._listener if self._leaving is None else self._leaving

    def _is_leaving(self) -> bool:
        """A client that has closed its end is gone as soon as the rest is read: the next one is only early."""
        return bool(self._poll.poll(0))

    def accept(self) -> None:
        """Takes the next client, if there is none now and one waits; turns it away if there is one; drops one that has not sent
        HELLO in time.
        """
        if self._leaving is not None:
            self._turn_away(self._leaving)
        if self.stream is not None and not self._greeted and time.ticks_diff(time.ticks_ms(), self._since) >= _GREETING_MS:
            self._drop_client()
        if self._leaving is not None or (self.stream is not None and self._is_leaving()):
            return
        try:
            stream, _ = self._listener.accept()
        except OSError:
            return
        stream.setblocking(False)
        if self.stream is None:
            self._welcome_client(stream)
            return
        self._leaving = stream
        self._leaving_since = time.ticks_ms()
        self._told = False
        self._turn_away(stream)

    def _turn_away(self, client: Client) -> None:
        # Once it has sent something, for a host may discard what comes before. Its end is awaited: closed at once, with a HELLO
        # unread, it would be reset, and might never see the frame.
        got = bytearray(256)
        stays, reads = True, 0
        try:
            count = client.readinto(got)
            while stays and count and reads < _LEAVING_READS:
                stays = self._told or (got[0] == 0 and self._tell_of_other(client))
                self._told = True
                reads += 1
                count = client.readinto(got) if stays else 0
        except OSError:
            count = 0
        if stays and count != 0 and time.ticks_diff(time.ticks_ms(), self._leaving_since) < _LEAVING_MS:
            return
        client.close()
        self._leaving = None

    def _tell_of_other(self, client: Client) -> bool:
        encoded = bytearray(frame.transmit_bytes(messages.SIZE_ERR))
        struct.pack_into(
            messages.LAYOUT_ERR, encoded, frame.TRANSMIT_PAYLOAD, messages.TYPE_HELLO, messages.ERROR_ANOTHER_HOST, 0
        )
        frame.encode(encoded, messages.TYPE_ERR, messages.SESSION_NONE, 0, messages.SIZE_ERR, 0)
        return bool(client.send(memoryview(encoded)[1 : 1 + messages.SIZE_ERR + frame.ENCODED]))


def _listen(port: int) -> tuple[Client, int]:
    """A listener on a port, and the port: this interpreter cannot ask for the number of one that the system chose."""
    tries = 1 if port else _TRIES
    while True:
        chosen = port or _FIRST_FREE + int.from_bytes(os.urandom(2), "little") % _FREE
        listener = socket.socket()
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(socket.getaddrinfo("127.0.0.1", chosen)[0][-1])
            listener.listen(1)
            listener.setblocking(False)
            return listener, chosen
        except OSError:
            listener.close()
            tries -= 1
            if not tries:
                raise
