"""What is loaded into this process: the C learner, the whole device, and a simulated Uno."""

from mtjlearn.inprocess.device import DeviceNoise, InProcessDevice, Preset
from mtjlearn.inprocess.learner import DEFINITIONS, Counters, Learner
from mtjlearn.inprocess.uno import SteppedUno, uno_library

__all__ = ["DEFINITIONS", "Counters", "DeviceNoise", "InProcessDevice", "Learner", "Preset", "SteppedUno", "uno_library"]
