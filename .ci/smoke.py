"""Use the installed package once: run it from outside the repository."""

from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression

import skactive

assert "site-packages" in skactive.__file__, skactive.__file__
X, truth = make_classification(random_state=0)
y = truth.copy()
y[10:] = -1


def ask(X, sample_ids):
    return truth[sample_ids]


clf = skactive.ActiveLearningClassifier(LogisticRegression(), oracle=ask, budget=20)
clf.fit(X, y, sample_ids=range(len(y)))
assert clf.n_queries_ == 20, clf.n_queries_
print(f"skactive {skactive.__version__} asked for {clf.n_queries_} labels")
