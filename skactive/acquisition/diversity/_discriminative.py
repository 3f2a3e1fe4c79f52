"""Rows that a classifier can tell from the labelled ones."""

from numbers import Integral

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state

from skactive.acquisition._base import BaseStrategy
from skactive.acquisition._known_rows import known_then_candidates
from skactive.utils._capabilities import HasMethodsOnceFitted
from skactive.utils._rows import as_floats
from skactive.utils._sklearn import Interval, _set_random_states
from skactive.utils._threads import one_thread
from skactive.utils._ties import tie_keys, top_k


def discriminative(
    features, labeled, n_queries, *, estimator=None, n_sub_batches=10, random_state=None
):
    """Choose the rows that a classifier tells best from the labelled ones.

    A classifier learns which rows are labelled; those of the others that it takes for
    unlabelled with the highest probability are chosen. That is repeated for each
    sub-batch, with the rows chosen before on the side of the labelled ones.

    Parameters
    ----------
    features : {array-like, sparse matrix} of shape (n_samples, n_components)
        All rows.

    labeled : array-like of shape (n_samples,), dtype bool
        Which of them are labelled. If none is, the first row is drawn at random.

    n_queries : int
        How many of the others to choose.

    estimator : estimator object or None, default=None
        The classifier, see :class:`~skactive.acquisition.DiscriminativeSampling`.

    n_sub_batches : int, default=10
        In how many parts to choose them.

    random_state : int, RandomState instance or None, default=None
        Seeds the classifier, and says which of equal rows are taken.

    Returns
    -------
    rows : ndarray of shape (n_queries,), dtype int
        Row numbers of `features`, in the order in which they were chosen.

    Raises
    ------
    ValueError
        If fewer than `n_queries` rows are not labelled.

    References
    ----------
    .. [1] D. Gissin, S. Shalev-Shwartz. "Discriminative active learning". 2019,
       arXiv:1907.06347.

    Examples
    --------
    >>> from skactive.acquisition.functional import discriminative
    >>> X = [[0.0], [0.1], [0.2], [5.0]]
    >>> discriminative(X, [True, True, False, False], 1)
    array([3])
    """
    features = as_floats(features)
    labeled = np.array(labeled, dtype=bool)
    n_left = int((~labeled).sum())
    if n_queries > n_left:
        raise ValueError(
            f"n_queries must be at most {n_left}, the number of rows without a label, "
            f"got {n_queries}."
        )
    seed = check_random_state(random_state).randint(np.iinfo(np.int32).max)
    rng = np.random.default_rng(seed)
    chosen = []
    if not labeled.any():
        chosen.append(int(rng.integers(len(labeled))))
        labeled[chosen] = True
    model, features = _prepare(estimator, features, seed)
    n_more = n_queries - len(chosen)
    for part in np.array_split(np.arange(n_more), max(1, min(n_sub_batches, n_more))):
        if len(part):
            others = np.flatnonzero(~labeled)
            scores = _score_unlabeled(model, features, labeled, others)
            new = others[top_k(scores, len(part), tie_keys(seed, others))]
            chosen.extend(new.tolist())
            labeled[new] = True
    return np.array(chosen, dtype=np.intp)


def _prepare(estimator, features, seed):
    """Return the seeded classifier, and the features that it is fitted on."""
    if estimator is None:
        # Centred, the optimum is the same one and is found sooner.
        scaler = StandardScaler(with_mean=not issparse(features))
        features = scaler.fit_transform(features)
        # Few rows change sides from one sub-batch to the next.
        estimator = LogisticRegression(
            class_weight="balanced", max_iter=1000, warm_start=True
        )
    model = clone(estimator)
    _set_random_states(model, np.random.RandomState(seed))
    return model, features


def _score_unlabeled(model, features, labeled, others):
    """Return how surely the model takes rows for unlabelled ones."""
    with one_thread():
        model.fit(features, (~labeled).astype(int))
        if hasattr(model, "decision_function"):
            # In the order of the probabilities, but not rounded to 1 with them.
            return model.decision_function(features)[others]
        return model.predict_proba(features)[others, 1]


class DiscriminativeSampling(BaseStrategy):
    """Ask rows that a classifier can tell from the labelled ones.

    Discriminative active learning [1]_: if labelled and unlabelled rows could not be
    told apart, the labelled ones would stand for the pool. So a second, binary
    classifier learns which rows of the embedding are labelled, and the candidates that
    it takes for unlabelled most surely are asked. A batch is chosen in sub-batches:
    after each, the rows chosen count as labelled and the classifier is fitted again.
    Rows that were asked and not answered count as labelled, too.

    It reads neither the labels nor the model, so it can also begin a run; where
    nothing is labelled the first row is random. All candidates are fitted on, as in the
    paper; its official code samples ten times as many as there are labels.

    One fit and one prediction of the binary classifier on all rows for each sub-batch.
    Memory: the embedding of the labelled rows and the candidates, and what the binary
    classifier makes of it, O(n_samples n_components).

    Parameters
    ----------
    estimator : estimator object or None, default=None
        The binary classifier. Labelled rows are few, so it should weigh the classes
        evenly. None means a logistic regression with ``class_weight="balanced"`` on
        standardised features. It looks in one direction for each sub-batch; a
        network or a forest can see several regions at once.

    n_sub_batches : int, default=10
        In how many parts a batch is chosen; at most one for each row.

    References
    ----------
    .. [1] D. Gissin, S. Shalev-Shwartz. "Discriminative active learning". 2019,
       arXiv:1907.06347.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.acquisition import DiscriminativeSampling
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(), strategy=DiscriminativeSampling(n_sub_batches=5)
    ... )
    """

    _parameter_constraints = {
        "estimator": [
            HasMethodsOnceFitted(["fit", "predict_proba"]),
            HasMethodsOnceFitted(["fit", "decision_function"]),
            None,
        ],
        "n_sub_batches": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, estimator=None, *, n_sub_batches=10):
        self.estimator = estimator
        self.n_sub_batches = n_sub_batches

    @property
    def needs(self):
        return frozenset({"embedding"})

    def select(self, pool, n_queries):
        rows, n_known = known_then_candidates(pool)
        chosen = discriminative(
            pool.embedding(rows),
            np.arange(len(rows)) < n_known,
            n_queries,
            estimator=self.estimator,
            n_sub_batches=self.n_sub_batches,
            random_state=pool.random_state,
        )
        return rows[chosen]
