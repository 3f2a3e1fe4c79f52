"""scikit-learn's own checks over every deep classifier; none is expected to fail."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

import skactive.deep


def small(name):
    """A classifier that is fitted quickly."""
    cls = getattr(skactive.deep, name)
    names = {"n_members", "n_networks", "n_masks", "start_epochs"} & set(
        cls().get_params()
    )
    return cls(
        hidden_layer_sizes=(8,), max_epochs=6, lr=0.05, batch_size=100, random_state=0
    ).set_params(**dict.fromkeys(names, 2))


CLASSIFIERS = [
    small(name) for name in skactive.deep.__all__ if name.endswith("Classifier")
]
# All share what scikit-learn sees of them; these two differ most in how they train.
FIRST = ("BayesByBackpropClassifier", "DeepEnsembleClassifier")


def is_first(clf):
    return type(clf).__name__ in FIRST


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks([clf for clf in CLASSIFIERS if is_first(clf)])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks([clf for clf in CLASSIFIERS if not is_first(clf)])
def test_scikit_learn_checks_of_the_others(estimator, check):
    check(estimator)
