"""The figures by their names. Each is a module that computes it and a function that draws it, imported when they are needed."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtjlearn.reproduction.options import Options
from mtjlearn.reproduction.pieces import Piece


@dataclass(frozen=True)
class Figure:
    """One figure or table of the paper.

    Args:
        name: as users type it.
        shows: what it shows, in a line.
    """

    name: str
    shows: str

    def check(self, options: Options) -> None:
        """Looks whether what it needs is there.

        Raises:
            UserError: it is not; the text says how to get it.
        """
        self._module.check(options)

    def pieces(self, options: Options) -> list[Piece]:
        """What has to be computed, keys beginning with the figure's name."""
        found: list[Piece] = self._module.pieces(options)
        return found

    def numbers(self, options: Options, results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """What is printed and plotted.

        Args:
            options: as they were.
            results: of all pieces, by their keys without the figure's name.
        """
        found: dict[str, Any] = self._module.numbers(options, results)
        return found

    def draw(self, numbers: Mapping[str, Any], path: Path) -> None:
        """Draws a PNG file from numbers alone.

        Raises:
            OSError: it cannot be written.
        """
        importlib.import_module(f"mtjlearn.reproduction.plots.{self._file}").draw(numbers, path)

    def lines(self, numbers: Mapping[str, Any]) -> list[str]:
        """What a person at the terminal reads: the figure's main numbers, a sentence each."""
        found: list[str] = self._module.lines(numbers)
        return found

    @property
    def _file(self) -> str:
        return self.name.replace("-", "_")

    @property
    def _module(self) -> Any:
        return importlib.import_module(f"mtjlearn.reproduction.{self._file}")


_FIGURES = (
    Figure("fig1b", "the perceptron's circuit, simulated, next to the ideal unit"),
    Figure("fig2", "a junction's noise at three biases"),
    Figure("fig3", "one layer: robustness over learning rate and noise scale"),
    Figure("fig3-chip", "the same layer in a board's integers, through the wire"),
    Figure("fig4", "three hidden layers: backpropagation, ANP and DANP"),
    Figure("fig4-chip", "ANP and DANP in a board's integers"),
    Figure("fig5", "2-2-2-1 learns a random teacher from live noise, 100 times"),
    Figure("table1", "the search for the learning rates"),
)
FIGURES = {figure.name: figure for figure in _FIGURES}
"""All figures, in the paper's order."""
