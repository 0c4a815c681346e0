"""Datasets: built-in ones and the user's own files, split, standardised and quantised to the device's format."""

from mtjlearn.datasets.augment import Augmentation
from mtjlearn.datasets.builtin import BUILTIN
from mtjlearn.datasets.columns import Columns
from mtjlearn.datasets.dataset import SCALES, Category, Dataset, DatasetError, Scale, Scaling, Task, epoch_order
from mtjlearn.datasets.features import Features, read_features
from mtjlearn.datasets.image_sets import IMAGE_SETS, IMAGES
from mtjlearn.datasets.load import NAMES, load
from mtjlearn.datasets.quantise import (
    ClippingReport,
    Quantised,
    default_network_sizes,
    dequantise,
    predicted_classes,
    quantise,
    quantise_values,
)

__all__ = [
    "BUILTIN",
    "IMAGES",
    "IMAGE_SETS",
    "NAMES",
    "SCALES",
    "Augmentation",
    "Category",
    "ClippingReport",
    "Columns",
    "Dataset",
    "DatasetError",
    "Features",
    "Quantised",
    "Scale",
    "Scaling",
    "Task",
    "default_network_sizes",
    "dequantise",
    "epoch_order",
    "load",
    "predicted_classes",
    "quantise",
    "quantise_values",
    "read_features",
]
