"""Datasets: built-in ones and the user's own files, split, standardised and quantised to the device's format."""

from mtjlearn.datasets.builtin import BUILTIN
from mtjlearn.datasets.columns import Columns
from mtjlearn.datasets.dataset import Dataset, DatasetError, Scaling, Task, epoch_order
from mtjlearn.datasets.load import load
from mtjlearn.datasets.quantise import (
    ClippingReport,
    Quantised,
    default_network_sizes,
    dequantise,
    predicted_classes,
    quantise,
)

__all__ = [
    "BUILTIN",
    "ClippingReport",
    "Columns",
    "Dataset",
    "DatasetError",
    "Quantised",
    "Scaling",
    "Task",
    "default_network_sizes",
    "dequantise",
    "epoch_order",
    "load",
    "predicted_classes",
    "quantise",
]
