"""Random sampling: rows drawn uniformly, the baseline of all comparisons."""

from dataclasses import replace

import numpy as np
from sklearn.utils import check_random_state

from skactive.acquisition._base import BaseStrategy


class RandomSampling(BaseStrategy):
    """Query rows at random, all with the same probability.

    It needs no model. Every other strategy is measured against it, and its labels alone
    are an unbiased sample of the pool. The probability of each row, one over the number
    of rows that were left, is kept in `query_probabilities_`.

    :Uses: nothing
    :Cost of a round: :math:`n`
    :Batch: by chance

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.datasets import hide_labels
    >>> from skactive.oracles import SimulatedOracle
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(),
    ...     oracle=SimulatedOracle(y),
    ...     strategy="random",
    ...     budget=15,
    ...     random_state=0,
    ... )
    >>> y_hidden = hide_labels(y, 15, random_state=0)
    >>> clf.fit(X, y_hidden, sample_ids=range(150)).n_queries_
    15
    """

    def utility(self, pool):
        # Not row-wise: the numbers come from one generator for all candidates.
        return check_random_state(pool.random_state).random_sample(len(pool.candidates))

    def select(self, pool, n_queries):
        selection = super().select(pool, n_queries)
        n_left = len(pool.candidates) - np.arange(len(selection))
        return replace(selection, probabilities=1.0 / n_left)
