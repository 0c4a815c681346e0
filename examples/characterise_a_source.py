"""Records the noise of a board, characterises it, fits a hidden Markov model, and keeps the recording as desk.npz.

Needs the extra hmm. Give a port to use a real board: python examples/characterise_a_source.py /dev/ttyACM0
"""

from __future__ import annotations

import sys
from pathlib import Path

from mtjlearn.discovery import open_board
from mtjlearn.noise import Recording, characterise, fit_hmm

CODES = 20_000


def main(name: str) -> None:
    """Prints levels and switching, found by a threshold and by the fit."""
    with open_board(name) as board:
        recorded = board.noise(CODES)
        millivolts = 1e3 * board.info.adc_reference / 2**board.info.adc_bits
        print(f"{len(recorded.codes):,} codes at {recorded.rate:,} per second, {recorded.holes} holes")
    starts = [segment.start for segment in recorded.segments]
    recording = Recording(recorded.codes.astype(float), tuple(starts), rate=recorded.rate)
    found, fit = characterise(recording), fit_hmm(recording)
    low, high = found.levels.low * millivolts, found.levels.high * millivolts
    print(f"threshold: {low:.1f} and {high:.1f} mV, p = {found.probability:.4f}")
    low, high = fit.low * millivolts, fit.high * millivolts
    print(f"fit:       {low:.1f} and {high:.1f} mV, p = {fit.probability:.4f}, duty cycle {fit.duty:.2f}")
    for hint in found.hints:
        print("hint:", hint)
    recording.save(Path("desk.npz"))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "native")
