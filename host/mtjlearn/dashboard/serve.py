"""The server of the page: on this computer's loopback address alone, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from mtjlearn.errors import UserError

ADDRESS = "127.0.0.1"
MOST_CONNECTIONS = 512
_GRACE = 3
"""Seconds that open pages have to end their streams."""


class PortTakenError(UserError):
    """The port of the page is another program's."""


def open_socket(port: int) -> socket.socket:
    """A socket that listens on loopback.

    Args:
        port: 0 for any free one.

    Raises:
        PortTakenError: the port cannot be used.
    """
    try:
        return socket.create_server((ADDRESS, port))
    except OSError as error:
        raise PortTakenError(f"port {port} cannot be used ({error.strerror}); choose another with --port, or omit it") from None


class _Server(uvicorn.Server):
    """Streams of events never end by themselves, so a signal ends them, too. Another signal changes nothing."""

    def __init__(self, config: uvicorn.Config, closing: Callable[[], None]) -> None:
        super().__init__(config)
        self._closing = closing

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called by a signal."""
        self._closing()
        if not self.should_exit:
            super().handle_exit(sig, frame)


def serve(app: ASGIApp, listener: socket.socket, closing: Callable[[], None]) -> None:
    """Serves until the process is told to end; the signal reaches the handler of before when all is closed.

    Args:
        app: what is served.
        listener: as open_socket() returns it; closed at the end.
        closing: ends the streams of events.
    """
    config = uvicorn.Config(
        app,
        log_level="error",
        access_log=False,  # a path has the token
        server_header=False,
        proxy_headers=False,
        ws="none",
        http="h11",
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=_GRACE,
    )
    with listener:
        _Server(config, closing).run(sockets=[listener])
