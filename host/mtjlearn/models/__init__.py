"""What a board learned, in one file: weights, how inputs are scaled, what outputs mean; and predictions with it, in integers."""

from mtjlearn.models.model import Model, ModelError
from mtjlearn.models.predict import Predictions, imprecise_inputs, predict
from mtjlearn.models.storage import read_model, write_model

__all__ = ["Model", "ModelError", "Predictions", "imprecise_inputs", "predict", "read_model", "write_model"]
