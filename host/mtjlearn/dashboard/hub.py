"""What is known, by topic, and the stream of its changes for every page that is open.

A page gets the newest state, not each one: what changes while it reads is sent once. So a slow page costs nothing, and no page
gets more than ten events per second of a topic.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from mtjlearn.runs.storage import plain

PERIOD = 0.1
"""Seconds between two events of a topic, at least."""
KEEP_ALIVE = 15.0
"""Seconds of silence after which a comment shows that the page is still there."""


@dataclass(frozen=True)
class _Topic:
    version: int
    content: str
    event: bytes


class Hub:
    """Topics with their newest values. Threads publish; pages listen in the event loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._topics: dict[str, _Topic] = {}
        self._version = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken: set[asyncio.Event] = set()
        self._closed = False

    @property
    def pages(self) -> int:
        """Streams that are open."""
        return len(self._woken)

    def publish(self, topic: str, value: Any) -> None:
        """Sets a topic; what has not changed is not sent again. From any thread.

        Args:
            topic: its name.
            value: of types that :func:`mtjlearn.runs.storage.plain` knows.
        """
        content = json.dumps(plain(value), allow_nan=False, separators=(",", ":"))
        with self._lock:
            before = self._topics.get(topic)
            if before is not None and before.content == content:
                return
            self._version += 1
            event = f'data: {{"topic":{json.dumps(topic)},"value":{content}}}\n\n'.encode()
            self._topics[topic] = _Topic(self._version, content, event)
        self._wake_soon()

    def value(self, topic: str) -> Any:
        """The newest value of a topic, as a page gets it; None if there is none."""
        with self._lock:
            found = self._topics.get(topic)
        return None if found is None else json.loads(found.content)

    async def events(self) -> AsyncIterator[bytes]:
        """Server-sent events: all topics, then what changes, until close()."""
        self._loop = asyncio.get_running_loop()
        woken, seen = asyncio.Event(), 0
        self._woken.add(woken)
        try:
            while not self._closed:
                woken.clear()
                changed, seen = self._since(seen)
                if changed:
                    yield b"".join(changed)
                    await asyncio.sleep(PERIOD)
                    continue
                try:
                    await asyncio.wait_for(woken.wait(), KEEP_ALIVE)
                except TimeoutError:
                    yield b": alive\n\n"
        finally:
            self._woken.discard(woken)

    def close(self) -> None:
        """Ends all streams. From any thread, and from a signal's handler."""
        self._closed = True
        self._wake_soon()

    def _since(self, version: int) -> tuple[list[bytes], int]:
        with self._lock:
            changed = sorted((topic.version, topic.event) for topic in self._topics.values() if topic.version > version)
            return [event for _, event in changed], self._version

    def _wake_soon(self) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # the server has ended
                self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        for woken in self._woken:
            woken.set()
