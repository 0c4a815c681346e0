"""The hub: pages get the newest state of each topic, at most ten times per second, and a page that does not read costs nothing."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from mtjlearn.dashboard import hub as module
from mtjlearn.dashboard.hub import Hub


def run(check: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(check(), 30))  # type: ignore[arg-type]


async def heard(events: AsyncIterator[bytes]) -> list[tuple[str, Any]]:
    block = (await anext(events)).decode()
    found = [json.loads(line.removeprefix("data: ")) for line in block.splitlines() if line]
    return [(event["topic"], event["value"]) for event in found]


def test_a_page_gets_everything_and_then_what_changes() -> None:
    async def check() -> None:
        hub = Hub()
        hub.publish("a", 1)
        hub.publish("b", {"x": None})
        events = hub.events()
        assert await heard(events) == [("a", 1), ("b", {"x": None})]
        hub.publish("b", 2)
        hub.publish("a", 1)
        assert await heard(events) == [("b", 2)]

    run(check)


def test_what_changes_while_a_page_reads_is_sent_once() -> None:
    async def check() -> None:
        hub = Hub()
        hub.publish("a", 0)
        events = hub.events()
        await heard(events)
        for value in range(1000):
            hub.publish("a", value)
        assert await heard(events) == [("a", 999)]

    run(check)


def test_a_topic_has_at_most_ten_events_per_second(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async def check() -> None:
        hub = Hub()
        events = hub.events()
        for value in range(20):
            hub.publish("a", value)
            assert await heard(events) == [("a", value)]

    monkeypatch.setattr(module.asyncio, "sleep", sleep)
    run(check)
    assert pauses == [module.PERIOD] * 19  # before each event but the first
    assert module.PERIOD >= 0.1


def test_another_thread_wakes_a_page() -> None:
    async def check() -> None:
        hub = Hub()
        events = hub.events()
        waiting = asyncio.ensure_future(heard(events))
        while hub.pages == 0:
            await asyncio.sleep(0)
        thread = threading.Thread(target=hub.publish, args=("a", "from a thread"))
        thread.start()
        assert await waiting == [("a", "from a thread")]
        thread.join()

    run(check)


def test_a_silent_stream_says_that_it_is_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEEP_ALIVE", 0.01)

    async def check() -> None:
        assert (await anext(Hub().events())).startswith(b":")

    run(check)


def test_streams_end_when_the_hub_is_closed_and_pages_that_left_are_forgotten() -> None:
    async def check() -> None:
        hub = Hub()
        hub.publish("a", 1)
        left, stays = hub.events(), hub.events()
        await heard(left)
        await heard(stays)
        assert hub.pages == 2
        await left.aclose()  # type: ignore[attr-defined]
        assert hub.pages == 1
        threading.Thread(target=hub.close).start()
        assert [block async for block in stays] == []
        assert hub.pages == 0

    run(check)


def test_text_of_others_stays_one_event() -> None:
    async def check() -> None:
        hub = Hub()
        hub.publish("board:\n\ndata: x", "a\n\ndata: {}\r\u2028")
        assert await heard(hub.events()) == [("board:\n\ndata: x", "a\n\ndata: {}\r\u2028")]

    run(check)


def test_publishing_after_the_server_has_ended_is_harmless() -> None:
    hub = Hub()

    async def check() -> None:
        hub.publish("a", 1)
        await heard(hub.events())

    run(check)
    hub.publish("a", 2)
    assert hub.value("a") == 2
    assert hub.value("b") is None
