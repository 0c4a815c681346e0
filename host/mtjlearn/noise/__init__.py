"""Noise: sources for the reference, recordings, sMTJ physics, and the characterisation of a source."""

from mtjlearn.fixedpoint import NoiseError
from mtjlearn.noise.barrier import BarrierModel
from mtjlearn.noise.characterise import Summary, autocorrelation, characterise
from mtjlearn.noise.circuit import ReadOut, SimulatedCircuit
from mtjlearn.noise.ensemble import Element, Ensemble
from mtjlearn.noise.files import RecordingStream, load_recording, open_recording
from mtjlearn.noise.files.write import write_recording
from mtjlearn.noise.health import NO_TESTS, HealthLimits
from mtjlearn.noise.health_monitor import HealthMonitor
from mtjlearn.noise.hmm import FitError, HmmFit, fit_hmm
from mtjlearn.noise.playback import Live, Playback
from mtjlearn.noise.recording import Recording, RecordingError
from mtjlearn.noise.ring import RingBuffer, stored_codes
from mtjlearn.noise.simulate import simulated_parts, simulated_recording
from mtjlearn.noise.smtj import PRESETS, Junction, SimulatedAdc
from mtjlearn.noise.sources import Bernoulli, Gaussian, NoiseSource, SimulatedSmtj

__all__ = [
    "NO_TESTS",
    "PRESETS",
    "BarrierModel",
    "Bernoulli",
    "Element",
    "Ensemble",
    "FitError",
    "Gaussian",
    "HealthLimits",
    "HealthMonitor",
    "HmmFit",
    "Junction",
    "Live",
    "NoiseError",
    "NoiseSource",
    "Playback",
    "ReadOut",
    "Recording",
    "RecordingError",
    "RecordingStream",
    "RingBuffer",
    "SimulatedAdc",
    "SimulatedCircuit",
    "SimulatedSmtj",
    "Summary",
    "autocorrelation",
    "characterise",
    "fit_hmm",
    "load_recording",
    "open_recording",
    "simulated_parts",
    "simulated_recording",
    "stored_codes",
    "write_recording",
]
