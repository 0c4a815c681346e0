"""A bias sweep of a junction with PyMeasure: set the field, let a board digitise the junction, keep duty cycle and switching rate.

Needs the extra lab. The board is the instrument. Here it is a virtual one, at whose converter is a junction that a field tilts
(eq. 5 of the paper). On a real bench replace SimulatedBench.at(): set the current of your source, e.g. with
pymeasure.instruments.keithley.Keithley2400, and open the board by its port.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from pymeasure.adapters import Adapter
from pymeasure.experiment import FloatParameter, IntegerParameter, Procedure, Results, Worker
from pymeasure.instruments import Instrument

from mtjlearn.board import Board
from mtjlearn.discovery import open_board
from mtjlearn.noise import BarrierModel, Recording, SimulatedSmtj, Summary, characterise, simulated_parts, write_recording
from mtjlearn.noise.files import Part

RATE = 40_000
MODEL = BarrierModel.of_kt(12.6, critical=20.0)
"""The paper's barrier; a field of 20 mT removes it."""


class BoardAdapter(Adapter):
    """PyMeasure's handle on an open board, which speaks mtjlearn's protocol instead of lines of text."""

    def __init__(self, board: Board) -> None:
        super().__init__()
        self.connection = board


class JunctionDigitiser(Instrument):
    """A board that records the junction at its converter."""

    def __init__(self, board: Board) -> None:
        super().__init__(BoardAdapter(board), "mtjlearn board", includeSCPI=False)

    def measure(self, codes: int) -> Summary:
        """Levels in codes, duty cycle, and rates of this many codes."""
        recorded = self.adapter.connection.noise(codes)
        starts = tuple(segment.start for segment in recorded.segments)
        return characterise(Recording(recorded.codes.astype(np.float64), starts, rate=recorded.rate))


class SimulatedBench:
    """A field, and a virtual board at whose converter is the junction in that field."""

    def __init__(self, folder: Path) -> None:
        self._voltages = folder / "voltages.f32"

    @contextmanager
    def at(self, field: float) -> Iterator[JunctionDigitiser]:
        """The instrument, while the field in mT is on."""
        junction = MODEL.junction(field, low=0.0362, high=0.0480)
        source = SimulatedSmtj.of_junction(junction, RATE, seed=1)
        write_recording(self._voltages, map(Part, simulated_parts(source, RATE)), RATE)
        with open_board("native", voltages=self._voltages, adc_rate=RATE) as board:
            yield JunctionDigitiser(board)


class BiasSweep(Procedure):
    """Steps the field and keeps what the board sees at each."""

    start = FloatParameter("First field", units="mT", default=-1.5)
    stop = FloatParameter("Last field", units="mT", default=1.5)
    points = IntegerParameter("Points", default=7, minimum=2)
    codes = IntegerParameter("Codes per point", default=8_000, minimum=200)

    DATA_COLUMNS = ("Field (mT)", "Duty cycle", "Expected", "Switching (1/s)")

    def execute(self) -> None:
        """Called by the worker; Ctrl-C ends it after the point under way."""
        with TemporaryDirectory() as folder:
            bench = SimulatedBench(Path(folder))
            for number, field in enumerate(np.linspace(self.start, self.stop, self.points)):
                with bench.at(field) as instrument:
                    found = instrument.measure(self.codes)
                row = (field, found.duty, float(MODEL.duty(field)), found.switching_rate or 0.0)
                self.emit("results", dict(zip(self.DATA_COLUMNS, row, strict=True)))
                self.emit("progress", 100 * (number + 1) / self.points)
                if self.should_stop():
                    break


def main() -> None:
    """Runs the sweep and prints its table, which is also in bias_sweep.csv with all parameters."""
    logging.basicConfig()
    path = Path("bias_sweep.csv")
    path.unlink(missing_ok=True)
    results = Results(BiasSweep(), str(path))
    worker = Worker(results, log_level=logging.WARNING)
    worker.start()
    worker.join(timeout=600)
    if results.procedure.status != Procedure.FINISHED:
        raise SystemExit(f"the sweep did not finish; what it measured is in {path}")
    print(results.data.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
