"""The rounds in which the rows of a run were queried."""

import numpy as np


def query_rounds(clf):
    """Return the round of every query of a fitted classifier.

    Parameters
    ----------
    clf : ActiveLearningClassifier
        A fitted classifier.

    Returns
    -------
    rounds : ndarray of shape (n_queries,), dtype int
        Rounds from 1, in the order of `query_indices_`.
    """
    records = [(record["round"], record["n_queried"]) for record in clf.history_]
    rounds, n_queried = np.array(records, dtype=np.intp).T
    return np.repeat(rounds, n_queried)
