"""scikit-learn's interface: a classifier and a regressor that learn from noise, in floats, in integers, or on a board."""

from mtjlearn.estimators.classifier import ANPClassifier
from mtjlearn.estimators.regressor import ANPRegressor

__all__ = ["ANPClassifier", "ANPRegressor"]
