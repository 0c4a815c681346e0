"""What a reproduction was asked for; written to config.toml and read back to resume."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from mtjlearn.runs import RunError


@dataclass(frozen=True)
class Options:
    """How a figure is computed.

    Args:
        full: the paper's sizes and data; otherwise reduced ones, which end in minutes.
        data: folder with image sets; None looks where packages put them.
        board: of the figures that a board takes part in; None: the virtual board.
        recordings: files with the noise of fig2, one for each bias, and of fig4's DANP from one recording; none: simulated.
        sets: image sets or digits that fig3 and fig4 compare; none: those of the quick or the full reproduction.
        epochs: of fig4; None: as many as its tasks have.
        device: of torch, for fig4, such as ``cuda``; None computes with NumPy.
        wait: seconds that fig5's network in Python waits at each call for noise; the paper waited 0.001.
        seed: of everything random; repeats and replicas count up from it.
    """

    full: bool = False
    data: str | None = None
    board: str | None = None
    recordings: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    epochs: int | None = None
    device: str | None = None
    wait: float = 0.0
    seed: int = 0

    def config(self) -> dict[str, Any]:
        """As written to config.toml."""
        return asdict(self)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Options:
        """Reads what :meth:`config` wrote.

        Raises:
            RunError: if it is not the configuration of a reproduction.
        """
        try:
            lists = {name: tuple(map(str, config[name])) for name in ("recordings", "sets") if name in config}
            return cls(**{**config, **lists})
        except TypeError as error:
            raise RunError(f"config.toml does not describe a reproduction ({error}); start a new run") from None
