"""The estimator in a pipeline of scikit-learn: a search for the number of hidden units, on data that the pipeline prepares."""

from __future__ import annotations

from sklearn.datasets import load_breast_cancer
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mtjlearn.estimators import ANPClassifier


def main() -> None:
    """Prints the score of each number of units, and the test accuracy of the best."""
    data = load_breast_cancer()
    x, x_test, y, y_test = train_test_split(data.data, data.target_names[data.target], test_size=0.3, random_state=0)
    learner = make_pipeline(StandardScaler(), PCA(10), ANPClassifier(epochs=10, random_state=0))
    search = GridSearchCV(learner, {"anpclassifier__hidden_layer_sizes": [(2,), (8,), (16,)]}, cv=3).fit(x, y)
    for parameters, score in zip(search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True):
        print(f"{parameters['anpclassifier__hidden_layer_sizes'][0]:2} hidden units: {score:.3f}")
    print(f"test accuracy of the best: {search.score(x_test, y_test):.3f}")


if __name__ == "__main__":
    main()
