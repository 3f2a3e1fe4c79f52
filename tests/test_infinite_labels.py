"""Labels that are infinite, wherever labels are taken."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skactive import ActiveLearningClassifier, CommitteeClassifier
from skactive.model_selection import LabeledFold, labeled_scorer

X = np.linspace(-1, 1, 12).reshape(-1, 1)
TRUTH = (X[:, 0] > 0).astype(float)
MODEL = LogisticRegression().fit(X, TRUTH)
FIT = ActiveLearningClassifier(MODEL).fit


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    "take",
    [
        FIT,
        CommitteeClassifier(MODEL).fit,
        lambda X, y: list(LabeledFold(3).split(X, y)),
        lambda X, y: labeled_scorer("accuracy")(MODEL, X, y),
    ],
    ids=["fit", "committee", "fold", "scorer"],
)
def test_infinity_is_no_label(take, sign):
    y = TRUTH.copy()
    y[3] = sign * np.inf
    with pytest.raises(ValueError, match="Input y contains infinity"):
        take(X, y)
