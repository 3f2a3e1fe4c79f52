"""The pool: a frozen view of one round, all that a strategy or criterion sees."""

import numpy as np

from skactive._pool.outputs import Outputs
from skactive.utils._ties import tie_keys


class Pool:
    """A frozen view of one round of active learning.

    It is all that a strategy or a stopping criterion sees: the facts of the round, and
    the outputs of the models for the candidates. Models are fitted, and outputs are
    computed, when they are first read; outputs are computed in blocks of rows. Both are
    shared by everything that uses the same round. All arrays about candidates are in
    the order of `candidates`. No array can be written to, except `X`, which belongs to
    the caller of `fit` and must not be changed.

    A run creates its pools itself. :func:`skactive.testing.make_pool` creates one from
    arrays, for a test.

    Parameters
    ----------
    models : RoundModels
        The models of the round, which know its facts.

    outputs : Outputs or None, default=None
        Outputs of the models for the candidates; if None, for all those of the round.

    random_state : int or None, default=None
        Seed of the pool; if None, that of the round.

    Attributes
    ----------
    X : {array-like, sparse matrix, data frame, list} of length n_samples
        All rows, labelled or not, in the container that was passed to `fit`; lists of
        numbers are arrays here, and sparse matrices have the format CSR.

    y : ndarray of shape (n_samples,)
        Labels, and the marker where none is known.

    labeled : ndarray of shape (n_samples,), dtype bool
        Rows whose label is known and trained on.

    candidates : ndarray of shape (n_candidates,), dtype int
        Row numbers of `X` that may be queried, ascending. They need not be the first.

    asked : ndarray of shape (n_samples,), dtype bool
        Rows that have been queried in this run, abstentions included.

    round : int
        Number of the round, from 1.

    labeled_iter : ndarray of shape (n_samples,), dtype int
        0 for rows that were labelled from the beginning, k for those bought in round k,
        -1 for all others.

    holdout : HeldRows
        The test sample of `holdout_fraction`, which no model is trained on: ``mask``,
        a mask of it, ``rows``, the row numbers of those with an answer, and
        ``labels``, their labels, which `y` does not hold.

    history : tuple of dict
        Records of the rounds before this one.

    unlabeled : {"ignore", "pass"} or PseudoLabels
        Whether the estimator is also trained on rows without a label.

    cost : ndarray of shape (n_samples,) or None
        Price of the label of each row, if prices were given.

    fit_params : dict
        Parameters for the estimator's `fit`, with a value for each row of `X` or for
        the whole fit.

    all_classes : ndarray of shape (n_all_classes,) or None
        The closed set of classes, if there is one.

    random_state : int
        Seed of this round, or of this part of it. A strategy draws all its random
        numbers from it.

    tie_seed : int
        Seed of :meth:`tie_keys`, the same in all rounds of a run.

    n_jobs : int or None
        Number of jobs.

    can_fit : bool
        Whether enough is labelled for a model; False in a cold start, and where a model
        cannot be fitted yet.

    noticed : Noticed
        Whether the output of a model was the same for all candidates, or missing for
        some.

    models : RoundModels
        The models of the round. The run reads fit times and failures from it;
        strategies do not need it.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive.testing import make_pool
    >>> X, y = [[0.0], [1.0], [0.5], [0.1]], [0, 1, -1, -1]
    >>> pool = make_pool(X, y, estimator=LogisticRegression())
    >>> pool.candidates, pool.classes
    (array([2, 3]), array([0, 1]))
    >>> pool.proba.round(2)
    array([[0.5 , 0.5 ],
           [0.54, 0.46]])
    """

    def __init__(self, models, outputs=None, random_state=None):
        facts = models.facts
        if outputs is None:
            outputs = Outputs(models, facts.candidates)
        # Plain attributes, as strategies read them in loops. A view has candidates and
        # a seed of its own; all other facts are those of the round.
        vars(self).update(vars(facts))
        vars(self).update(
            models=models,
            noticed=models.noticed,
            candidates=outputs.candidates,
            random_state=facts.random_state if random_state is None else random_state,
            _outputs=outputs,
        )

    def __setattr__(self, name, value):
        raise AttributeError(
            f"A Pool is frozen: {name!r} cannot be set. Strategies keep their state "
            "in attributes of their own, ending in '_'."
        )

    def __len__(self):
        return len(self.candidates)

    @property
    def seen(self):
        """Labels seen, in sorted order."""
        return self.models.seen

    @property
    def classes(self):
        """Labels seen and columns of the model, in sorted order; those of `proba`.

        If some classes of a closed set have no label, the model is fitted to find out
        which of them it has columns for.
        """
        return self.models.classes

    @property
    def estimator(self):
        """The classifier, fitted on what is known in this round."""
        return self.models.estimator

    @property
    def committee(self):
        """The committee, fitted on what is known in this round.

        It has `classes_`, `predict_member` and, if all its members have
        probabilities, `predict_member_proba`.
        """
        return self.models.committee

    @property
    def proba(self):
        """Probabilities of the candidates, of shape (n_candidates, n_classes)."""
        return self._outputs.proba()

    def predict_proba(self, rows):
        """Return the probabilities of any rows of `X`.

        Parameters
        ----------
        rows : array-like of shape (n_rows,), dtype int
            Row numbers.

        Returns
        -------
        proba : ndarray of shape (n_rows, n_classes)
            Probabilities; they are not kept.
        """
        return self._outputs.predict_proba(rows)

    @property
    def predictions(self):
        """Predicted class of each candidate as a column of `proba`, (n_candidates,).

        It is the likeliest class if the estimator has probabilities, which are shared
        with everything that reads them; otherwise that of its `predict`.
        """
        return self._outputs.predictions()

    def predict(self, rows):
        """Return the predicted classes of any rows of `X`, as `predictions` does.

        Parameters
        ----------
        rows : ndarray of shape (n_rows,), dtype int
            Row numbers, ascending.

        Returns
        -------
        codes : ndarray of shape (n_rows,), dtype int
            Columns of `proba`.
        """
        return self._outputs.predict(rows)

    @property
    def decision_function(self):
        """Decision values of the candidates, (n_candidates,) or (.., n_classes)."""
        return self._outputs.decision_function()

    @property
    def loss(self):
        """Losses that the estimator predicts for the candidates, (n_candidates,)."""
        return self._outputs.loss()

    @property
    def member_proba(self):
        """Probabilities by each member, (n_members, n_candidates, n_classes)."""
        return self._outputs.of_members("predict_proba")

    @property
    def votes(self):
        """Each member's class as a column of `proba`, (n_members, n_candidates)."""
        return self._outputs.of_members("predict")

    def has_output(self, name):
        """Tell whether the estimator has a method.

        Where that may come with the fit, the estimator is fitted.

        Parameters
        ----------
        name : str
            Name of the method, such as ``"predict_proba"``.

        Returns
        -------
        has : bool
            Whether it is there.
        """
        return self.models.has_output(name)

    def tie_keys(self, rows):
        """Return the places of rows in the one random order of all rows of the run.

        Of rows that tie, a strategy takes the one with the lowest key, so that no row
        is preferred for its place in the file. The order depends on the seed of the
        run only; it is the same in all rounds, and in all parts of the pool.

        Parameters
        ----------
        rows : array-like of shape (n_rows,), dtype int
            Row numbers of `X`.

        Returns
        -------
        keys : ndarray of shape (n_rows,), dtype uint64
            All different.
        """
        return tie_keys(self.tie_seed, rows)

    def embedding(self, rows):
        """Return rows of `X` as numeric features, of shape (n_rows, n_components).

        They come from ``embed(X)`` of the estimator, if it has this method; else from
        the steps of a Pipeline before its last; else `X` itself is taken, if it is
        numeric without NaN.

        Parameters
        ----------
        rows : ndarray of int, or slice
            Row numbers of `X`; a slice only while `embedding_is_fixed`.

        Returns
        -------
        features : {ndarray, sparse matrix} of shape (n_rows, n_components)
            A copy; for a slice it may be a view, which must not be written to.
        """
        return self.models.kept.embedder.embed(rows, self)

    @property
    def has_embedding(self):
        """Whether `embedding` can be computed in this round."""
        return self.models.kept.embedder.is_available(self)

    @property
    def embedding_is_fixed(self):
        """Whether the embedding stays the same over the rounds."""
        return self.models.kept.embedder.is_fixed

    def blocks(self):
        """Yield the candidates as smaller pools, one per block of rows.

        A model output that has been computed for the whole pool is cut. Any other is
        computed for the block alone, and forgotten with it.

        Yields
        ------
        positions : slice
            Positions of the block's candidates among those of this pool.

        block : Pool
            A pool of these candidates.
        """
        slices = self._outputs.slices()
        if len(slices) == 1:
            # The pool itself: its outputs are kept, and its seed stays the same.
            yield slices[0], self
            return
        for number, positions in enumerate(slices):
            block = self._outputs.cut(positions, "block")
            yield positions, self._view(block, stream=number)

    def take(self, positions, *, stream=0):
        """Return a pool of some of the candidates, for the same models.

        Model outputs that have been computed for this pool are cut; others are
        computed for the chosen candidates alone.

        Parameters
        ----------
        positions : array-like of int
            Which candidates, by their positions in `candidates`; the order is ignored.

        stream : int, default=0
            Number of the random stream of the new pool: parts of one round that draw
            at random must not share a seed.

        Returns
        -------
        pool : Pool
            Its candidates are in ascending order.
        """
        positions = np.asarray(positions)
        if positions.dtype.kind not in "iu" and len(positions):
            raise TypeError(
                "positions must be whole numbers, those of candidates, got an array of "
                f"dtype {positions.dtype}. For a mask, pass np.flatnonzero(mask)."
            )
        part = self._outputs.cut(np.sort(positions.astype(np.intp, copy=False)))
        return self._view(part, stream=stream)

    def with_stream(self, stream):
        """Return the same pool, with a random seed of its own.

        Parameters
        ----------
        stream : int
            Number of the random stream.

        Returns
        -------
        pool : Pool
            It shares models and outputs with this one.
        """
        return self._view(self._outputs, stream=stream)

    def with_estimator(self, estimator, embedder=None):
        """Return the round as another classifier sees it.

        Parameters
        ----------
        estimator : estimator object
            Unfitted classifier.

        embedder : Embedding or None, default=None
            Embeds rows for this classifier, if one was made in an earlier round.

        Returns
        -------
        pool : Pool
            It shares neither models nor outputs with this one; the time of its fits
            counts in this one.
        """
        models = self.models.for_estimator(estimator, embedder)
        return self._view(self._outputs.of_models(models))

    def _view(self, outputs, stream=None):
        """Return a pool of the same round with other outputs, or a seed of its own."""
        seed = self.random_state
        if stream is not None:
            seed = _seed_of_stream(seed, stream)
        return type(self)(outputs.models, outputs, seed)


def _seed_of_stream(seed, stream):
    # Sums such as seed + stream would be the seeds of other rounds.
    return int(np.random.SeedSequence([seed, stream]).generate_state(1)[0])
