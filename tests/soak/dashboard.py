"""What the live page costs: three boards watched for an hour of their time, and a training with a hundred pages open.

The hour is virtual: the watching threads do not wait between two looks, and the boards' clocks run with their codes. Memory is
what the process holds after the first tenth and at the end. The training's cost is the CPU time of its own process per step,
alone and with a hundred streams read to their end by another process; rounds alternate, so that a busy machine troubles both.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from mtjlearn.board import Board, Schedule
from mtjlearn.dashboard.app import Page
from mtjlearn.dashboard.hub import Hub
from mtjlearn.dashboard.rundirs import RunsWatch
from mtjlearn.dashboard.serve import open_socket, serve
from mtjlearn.dashboard.watching import POLL, BoardWatch
from mtjlearn.inprocess.board import InProcessBoard
from mtjlearn.inprocess.device import InProcessDevice
from mtjlearn.training.autonomous import begin, plan_task
from mtjlearn.wire.messages import Task

BOARDS = 3
HOUR = 3600.0
LEARNED = 5000
"""Steps after which a board stops to learn: in this process it would use all the time that the measurement does not."""
TOKEN = "load"


class VirtualTime:
    """A clock that jumps as far as somebody wants to wait."""

    def __init__(self, limit: float) -> None:
        self.now = 0.0
        self._limit = limit
        self.over = threading.Event()

    def wait(self, woken: threading.Event, seconds: float) -> None:
        """In place of a wait for an event."""
        self.now += seconds
        if self.now >= self._limit:
            self.over.set()
            woken.wait()


async def count_events(hub: Hub, counts: dict[str, int]) -> None:
    """Reads a page's stream to its end, and counts the events of each topic."""
    async for block in hub.events():
        for line in block.decode().splitlines():
            if line.startswith("data: "):
                topic = json.loads(line.removeprefix("data: "))["topic"]
                counts[topic] = counts.get(topic, 0) + 1


def watch_for(seconds: float) -> dict[str, Any]:
    """Three boards that have learned autonomously are watched for this long, of their time; a page reads all the while."""
    hub, clocks, watches, counts = Hub(), [], [], {}
    for number in range(BOARDS):
        clock = VirtualTime(seconds)
        board = InProcessBoard(InProcessDevice(seed=number + 1, codes_per_step=16))
        watch = BoardWatch(
            f"board {number}",
            hub,
            open_=lambda name, board=board: Board(lambda: board.open_transport(None)),
            wait=clock.wait,
            clock=lambda clock=clock: clock.now,
        )
        watch.start()
        watch.do(lambda opened, seed=number: begin(opened, plan_task(Schedule(Task.XOR, steps=LEARNED), sizes=None, seed=seed)))
        clocks.append(clock)
        watches.append(watch)
    memory: list[tuple[float, int]] = []

    def weigh() -> None:
        while not all(clock.over.is_set() for clock in clocks):
            memory.append((min(clock.now for clock in clocks), held()))
            next((clock for clock in clocks if not clock.over.is_set()), clocks[0]).over.wait(1)
        hub.close()

    weigher = threading.Thread(target=weigh, daemon=True)
    weigher.start()
    started, cpu = time.monotonic(), time.process_time()
    asyncio.run(count_events(hub, counts))
    took, used = time.monotonic() - started, time.process_time() - cpu
    weigher.join()
    for watch in watches:
        watch.close()
    early = next(size for at, size in memory if at >= seconds / 10)
    events = max(count for topic, count in counts.items() if topic.startswith("board:"))
    return {
        "virtual_seconds": seconds,
        "looks_per_board": round(seconds / POLL),
        "real_seconds": round(took, 1),
        "cpu_ms_per_look": round(1000 * used / (BOARDS * seconds / POLL), 2),
        "events_per_board_and_real_second": round(events / took, 2),
        "events_per_board_and_virtual_second": round(events / seconds, 3),
        "mb_after_a_tenth": round(early / 1e6, 1),
        "mb_at_the_end": round(held() / 1e6, 1),
    }


def held() -> int:
    """Bytes of memory that this process holds."""
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * resource.getpagesize()


def train(root: Path, epochs: int) -> float:
    """CPU microseconds per step of a training's own process."""
    words = [sys.executable, "-m", "mtjlearn", "train", "iris", "--board", "native", "--no-reference", "--json"]
    words += ["--epochs", str(epochs), "--runs", str(root)]
    # A shell's time counts the children that it waited for: the training and its board.
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return 1e6 * used / int(json.loads(found.stdout.splitlines()[-1])["steps"])


async def read_streams(port: int, pages: int) -> None:
    """Reads that many streams without end."""

    async def read() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET /{TOKEN}/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        while await reader.read(65536):
            pass

    await asyncio.gather(*(read() for _ in range(pages)))


def with_pages(root: Path, epochs: int, pages: int) -> float:
    """The same while that many pages follow it."""
    words = [sys.executable, __file__, "--serve", str(root)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        with subprocess.Popen([sys.executable, __file__, "--read", str(port), "--pages", str(pages)]) as reader:
            time.sleep(2)
            try:
                return train(root, epochs)
            finally:
                reader.kill()
                server.kill()


def serve_runs(root: Path) -> None:
    """The page's server for a directory of runs."""
    hub = Hub()
    runs = RunsWatch(root, hub)
    listener = open_socket(0)
    print(listener.getsockname()[1], flush=True)
    runs.start()
    serve(Page(hub, runs, None).app(TOKEN), listener, hub.close)


def main() -> None:
    """Measures, and prints what was found; fails if the page costs more than it may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=HOUR, help="of virtual time")
    parser.add_argument("--rounds", type=int, default=5, help="trainings alone, and as many with pages")
    parser.add_argument("--epochs", type=int, default=2000, help="of each training")
    parser.add_argument("--pages", type=int, default=100)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--read", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve is not None:
        serve_runs(asked.serve)
        return
    if asked.read is not None:
        asyncio.run(read_streams(asked.read, asked.pages))
        return
    watched = watch_for(asked.seconds)
    print(json.dumps(watched), flush=True)
    alone, followed = [], []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(asked.rounds):
            alone.append(train(Path(folder), asked.epochs))
            followed.append(with_pages(Path(folder), asked.epochs, asked.pages))
    cost = {
        "alone_us_per_step": alone,
        "followed_us_per_step": followed,
        "median_ratio": statistics.median(followed) / statistics.median(alone),
    }
    print(json.dumps({**cost, "pages": asked.pages, "cpus": os.cpu_count()}))
    problems = []
    if watched["mb_at_the_end"] > 1.05 * watched["mb_after_a_tenth"]:
        problems.append("memory grows")
    if watched["events_per_board_and_real_second"] > 10:
        problems.append("more than ten events per second")
    if cost["median_ratio"] > 1.05:
        problems.append("the training costs more than 5 % more")
    if problems:
        sys.exit(", ".join(problems))


if __name__ == "__main__":
    main()
