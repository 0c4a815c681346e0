"""The paper's figures and table, computed again: what each needs, its numbers, and its plot.

A figure is cut into pieces (:mod:`mtjlearn.reproduction.pieces`), which processes compute side by side and a run directory
keeps, so that an interrupted figure computes nothing twice. ``numbers`` of a figure's module makes of the pieces what is
printed and plotted; :mod:`mtjlearn.reproduction.plots` draws that and computes nothing.
"""

from mtjlearn.reproduction.catalogue import FIGURES
from mtjlearn.reproduction.options import Options
from mtjlearn.reproduction.reproduce import Reproduction, redraw, reproduce, resume

__all__ = ["FIGURES", "Options", "Reproduction", "redraw", "reproduce", "resume"]
