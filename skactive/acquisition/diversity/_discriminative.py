"""Discriminative: rows that a classifier can tell from the labelled ones."""

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

    A classifier learns which rows are labelled. Of the others, those are chosen that it
    takes for unlabelled with the highest probability. This is repeated for each
    sub-batch, where rows that were chosen before count as labelled.

    Parameters
    ----------
    features : {array-like, sparse matrix} of shape (n_samples, n_components)
        All rows.

    labeled : array-like of shape (n_samples,), dtype bool
        Mask of the labelled rows. If there are none, the first row is drawn at random.

    n_queries : int
        Number of other rows to choose.

    estimator : estimator object or None, default=None
        The classifier, see :class:`~skactive.acquisition.DiscriminativeSampling`.

    n_sub_batches : int, default=10
        Number of parts in which they are chosen.

    random_state : int, RandomState instance or None, default=None
        Seeds the classifier, and decides between equal rows.

    Returns
    -------
    rows : ndarray of shape (n_queries,), dtype int
        Row numbers of `features`, in the order of choice.

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
        # Centring does not change the optimum, which is found sooner.
        scaler = StandardScaler(with_mean=not issparse(features))
        features = scaler.fit_transform(features)
        # Few rows change sides between sub-batches, so each fit starts from the last.
        estimator = LogisticRegression(
            class_weight="balanced", max_iter=1000, warm_start=True
        )
    model = clone(estimator)
    _set_random_states(model, np.random.RandomState(seed))
    return model, features


def _score_unlabeled(model, features, labeled, others):
    """Return the confidence of the model that rows are unlabelled."""
    with one_thread():
        model.fit(features, (~labeled).astype(int))
        if hasattr(model, "decision_function"):
            # The same order as that of the probabilities, which may be rounded to 1.
            return model.decision_function(features)[others]
        return model.predict_proba(features)[others, 1]


class DiscriminativeSampling(BaseStrategy):
    """Query rows that a classifier can tell from the labelled ones.

    Discriminative active learning [1]_: if labelled and unlabelled rows could not be
    told apart, the labelled ones would represent the pool. So a second, binary
    classifier learns from the embedding which rows are labelled, and the candidates are
    queried that are unlabelled with the highest probability. A batch is chosen in
    sub-batches: after each, the chosen rows count as labelled and the classifier is
    fitted again. Rows that were queried without an answer count as labelled, too.

    It uses neither labels nor a model, so it can be the `initial_strategy`; if no row
    is labelled, the first row is random. The binary classifier is fitted on all
    candidates, as in the paper; the official code samples ten candidates for each
    label.

    Time: one fit and one prediction of the binary classifier on all rows for each
    sub-batch. Memory: O(n_samples n_components) for the embedding, and what the binary
    classifier needs.

    :Uses: features
    :Cost of a round: a fit and prediction for each sub-batch
    :Batch: yes
    :Guide: :doc:`/user_guide/contrast`

    Parameters
    ----------
    estimator : estimator object or None, default=None
        The binary classifier. Labelled rows are few, so it should weight the classes
        equally. If None, a logistic regression with ``class_weight="balanced"`` on
        standardised features. It finds one direction for each sub-batch; a network or a
        forest can find several regions at once.

    n_sub_batches : int, default=10
        Number of parts in which a batch is chosen; at most one for each row.

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
