"""How a training is shown while it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from mtjlearn.cli.view.console import Bar, bar, say
from mtjlearn.virtual.boards import SIMULATED


class Terminal:
    """Shows a training at the terminal: a bar for the board, then one for the reference."""

    def __init__(self) -> None:
        self._bars = ExitStack()
        self._phase = ""
        self._bar: Bar | None = None

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.close()

    def note(self, text: str) -> None:
        """See :class:`mtjlearn.training.Observer`."""
        say(text)

    def progress(self, phase: str, done: int, total: int, loss: float | None, rate: float | None) -> None:
        """See :class:`mtjlearn.training.Observer`."""
        if self._bar is None or phase != self._phase:
            self._bars.close()
            self._bar = self._bars.enter_context(bar(f"{phase:9}"))
            self._phase = phase
        parts = [f"loss {loss:.4f}" if loss is not None else "", f"{rate:,.0f} steps/s" if rate is not None else ""]
        self._bar.update(done, total, "  ".join(part for part in parts if part))


@contextmanager
def download_bars() -> Iterator[Callable[[str, int, int], None]]:
    """Shows downloads: a line for each file, and a bar in thousands of bytes at a terminal."""
    with ExitStack() as bars:
        shown: dict[str, Bar] = {}

        def tell(name: str, done: int, total: int) -> None:
            if name not in shown:
                bars.close()
                say(f"downloading {name}, {total / 1e6:.1f} MB")
                shown[name] = bars.enter_context(bar(name))
            shown[name].update(done // 1000, total // 1000, "kB")

        yield tell


def line_rate(board: str | None, rate: float) -> str:
    """Samples per second over the line, end to end, by this computer's clock: of a simulated chip not the chip's own."""
    if board in SIMULATED:
        return f"{rate:,.0f} samples/s of the simulator, limited by this computer; mtjlearn bench measures the chip"
    return f"{rate:,.0f} samples/s over the line"
