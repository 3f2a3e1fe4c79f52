"""Small data for the checks, and a pool that notes the outputs that are read."""

import numpy as np
from sklearn.datasets import make_blobs
from sklearn.preprocessing import MinMaxScaler

from skactive._pool.pool import Pool


def toy_data(n_classes):
    X, y = make_blobs(90, n_features=5, centers=n_classes, random_state=n_classes)
    # No feature is negative, so that naive Bayes of counts can be tried as well.
    return MinMaxScaler().fit_transform(X), y


def costs(y):
    return 1.0 + np.arange(len(y)) % 3


class WatchedPool(Pool):
    """A pool that notes the outputs of the model that are read.

    Attributes
    ----------
    reads : set of str
        The outputs, shared by all views of the same models.
    """

    def __init__(self, models, outputs=None, random_state=None):
        super().__init__(models, outputs, random_state)
        vars(self)["reads"] = set()  # pools are frozen, so attributes are set by `vars`

    def _view(self, outputs, stream=None):
        other = super()._view(outputs, stream)
        if other.models is self.models:
            vars(other)["reads"] = self.reads
            return other
        # `needs` does not state what another classifier must have.
        return Pool(other.models, outputs, other.random_state)

    def embedding(self, rows):
        self.reads.add("embedding")
        return super().embedding(rows)


def _watched(name):
    def read(pool):
        pool.reads.add(name)
        return getattr(super(WatchedPool, pool), name)

    return property(read)


# `predictions` and `classes` are not watched: every classifier has them.
for _name in ("proba", "decision_function", "votes", "member_proba", "loss"):
    setattr(WatchedPool, _name, _watched(_name))
