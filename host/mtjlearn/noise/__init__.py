"""Noise: sources for the reference, recordings, sMTJ physics, and the characterisation of a source."""

from mtjlearn.fixedpoint import NoiseError
from mtjlearn.noise.characterise import Summary, autocorrelation, characterise
from mtjlearn.noise.health import NO_TESTS, HealthLimits
from mtjlearn.noise.health_monitor import HealthMonitor
from mtjlearn.noise.playback import Live, Playback
from mtjlearn.noise.recording import Recording, RecordingError, load_recording
from mtjlearn.noise.ring import RingBuffer, stored_codes
from mtjlearn.noise.smtj import PRESETS, Junction, SimulatedAdc
from mtjlearn.noise.sources import Bernoulli, Gaussian, NoiseSource, SimulatedSmtj

__all__ = [
    "NO_TESTS",
    "PRESETS",
    "Bernoulli",
    "Gaussian",
    "HealthLimits",
    "HealthMonitor",
    "Junction",
    "Live",
    "NoiseError",
    "NoiseSource",
    "Playback",
    "Recording",
    "RecordingError",
    "RingBuffer",
    "SimulatedAdc",
    "SimulatedSmtj",
    "Summary",
    "autocorrelation",
    "characterise",
    "load_recording",
    "stored_codes",
]
