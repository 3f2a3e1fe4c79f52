"""The things that a run keeps from round to round, so that they are made once."""

from dataclasses import dataclass

from skactive._models.fitting import FitMemory
from skactive._pool.blocks import BlockPredictor
from skactive._pool.embedding import Embedding


@dataclass(frozen=True)
class Kept:
    """The things that a run keeps for all its pools.

    Attributes
    ----------
    predictor : BlockPredictor
        Predicts on blocks of rows. It copies the candidates once they have become the
        smaller part of `X`, and writes the files that worker processes read.

    embedder : Embedding
        Embeds rows; most embeddings are the same in all rounds.

    memory : FitMemory
        Which classifiers have refused labels, see
        :func:`~skactive._models.fitting.fit_classifier`.
    """

    predictor: BlockPredictor
    embedder: Embedding
    memory: FitMemory

    @classmethod
    def of_run(cls, X, estimator, classes=None, *, block_size=None):
        """Return the things of a run that begins.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, list} of length n_samples
            All rows.

        estimator : estimator object
            Unfitted classifier.

        classes : ndarray of shape (n_classes,) or None, default=None
            The closed set of classes, if there is one.

        block_size : int or None, default=None
            Number of rows in one block; by default as many as fit into a fixed number
            of bytes.

        Returns
        -------
        kept : Kept
            Nothing is computed yet.
        """
        return cls(
            BlockPredictor(X, block_size), Embedding(X, estimator), FitMemory(classes)
        )

    def for_estimator(self, X, estimator, embedder=None):
        """Return the same for another classifier of the run.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, list} of length n_samples
            All rows.

        estimator : estimator object
            Unfitted classifier.

        embedder : Embedding or None, default=None
            Embeds rows for this classifier, if there is one from an earlier round.

        Returns
        -------
        kept : Kept
            It predicts on the same blocks of rows.
        """
        embedder = embedder or Embedding(X, estimator)
        return Kept(self.predictor, embedder, self.memory.of(estimator))
