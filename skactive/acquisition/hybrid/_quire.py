"""QUIRE: informative and representative rows, by a min-max argument."""

from numbers import Integral, Real

import numpy as np
from scipy.linalg import solve_triangular
from scipy.sparse import issparse
from sklearn.metrics.pairwise import kernel_metrics, pairwise_kernels

from skactive.acquisition._base import BaseStrategy
from skactive.utils._rows import slices
from skactive.utils._sampling import draw_rows
from skactive.utils._sklearn import Function, Interval, StrOptions
from skactive.utils._threads import one_thread

# Numbers in one block of rows, 8 MiB.
_BLOCK_NUMBERS = 2**20
# The kernel of rows with themselves is computed in squares of this size, of which only
# the diagonal is used.
_DIAGONAL_ROWS = 64


def quire(kernel_labeled, kernel_candidates, kernel_diagonal, y, *, reg=1.0):
    """Return minus the regularised squared loss with the worst label of a candidate.

    A candidate `s` has the value ``max_y_s min_y_u y' (K + reg I)^-1 y``, where `y`
    holds the known labels, the label of `s` that fits worst, and the real numbers that
    fit best for all other rows. The candidate of smallest value is queried. The minimum
    over `y_u` is a Schur complement, in which all other rows without a label drop out::

        value = y_l' A^-1 y_l + (1 + |f_s|)^2 / c_s,   A = K_ll + reg I,
        f_s = k_sl A^-1 y_l,   c_s = k_ss + reg - k_sl A^-1 k_ls.

    So it takes O(n m^2) for m labels instead of O(n^3), and the kernel between
    candidates is not needed.

    Parameters
    ----------
    kernel_labeled : array-like of shape (n_labeled, n_labeled)
        Kernel of the labelled rows.

    kernel_candidates : array-like of shape (n_candidates, n_labeled)
        Kernel of candidates and labelled rows.

    kernel_diagonal : array-like of shape (n_candidates,)
        Kernel of each candidate with itself.

    y : array-like of shape (n_labeled,)
        Labels of any kind. Two classes become -1 and +1. With more, the value is the
        mean of the losses of each class against the rest, for the class of the
        candidate for which this mean is worst.

    reg : float, default=1.0
        Regularisation, the lambda of the paper.

    Returns
    -------
    utility : ndarray of shape (n_candidates,)
        Minus the value, at most 0 for a positive semidefinite kernel.

    Raises
    ------
    ValueError
        If the kernel of the labelled rows plus `reg` on its diagonal is not positive
        definite.

    References
    ----------
    .. [1] S.-J. Huang, R. Jin, Z.-H. Zhou. "Active learning by querying informative
       and representative examples". NIPS 2010.

    Examples
    --------
    Two labelled rows that are not similar to each other. The first candidate is not
    similar to them, the second is like the first row:

    >>> from skactive.acquisition.functional import quire
    >>> quire([[1, 0], [0, 1]], [[0, 0], [1, 0]], [1, 1], [-1, 1]).round(3)
    array([-1.5, -2.5])
    """
    machine = _Machine(np.asarray(kernel_labeled, dtype=np.float64), y, reg)
    return -machine.min_max(
        np.asarray(kernel_candidates, dtype=np.float64), np.asarray(kernel_diagonal)
    )


class QUIRESampling(BaseStrategy):
    """Query rows whose worst label leaves the loss of a kernel machine small.

    QUIRE [1]_ queries the row for which the regularised squared loss over all rows is
    smallest, with the worst label for this row and the best ones for the other rows
    without a label: it is close to the boundary, and far from labelled rows. It has a
    kernel machine of its own and needs only an embedding, which should be scaled to fit
    `gamma`. See :func:`~skactive.acquisition.functional.quire` for the formula.

    Cost: O(n m^2) for n candidates and m labels; memory O(m^2) and one block. Each row
    of a batch is chosen by itself.

    :Uses: features, labels
    :Cost of a round: :math:`n m^2`
    :Guide: :doc:`/user_guide/expected_error`

    Parameters
    ----------
    gamma : float or None, default=1.0
        Parameter of the kernel, if it has one. If None, the default of scikit-learn is
        used.

    reg : float, default=1.0
        Regularisation, the lambda of the paper; it must be positive.

    kernel : str or callable, default="rbf"
        Name of a kernel in :func:`sklearn.metrics.pairwise.pairwise_kernels`, or a
        function of two arrays of rows that returns the kernel matrix between them.

    criterion : {"min_max", "simplified"}, default="min_max"
        "min_max" is the value defined in [1]_ and computed by its authors. "simplified"
        is ``L_ss - det(L_aa) / L_ss + 2 |f_s| / c_s``, where `L` is the inverse of the
        regularised kernel of all rows and `a` are those without a label.
        Implementations that rank by it leave out a part of the min-max value that
        depends on the row. It is here for comparison with them, and costs O(n^3).

    max_samples : int, default=3000
        Largest number of rows of a kernel matrix that is factorised. If more rows are
        labelled, a sample of this size is used. With "simplified", `L_ss` is relative
        to a sample of this size if there are more rows. So memory is at most
        O(max_samples^2), and time O(n max_samples^2).

    References
    ----------
    .. [1] S.-J. Huang, R. Jin, Z.-H. Zhou. "Active learning by querying informative
       and representative examples". NIPS 2010.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import MinMaxScaler
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.acquisition import QUIRESampling
    >>> clf = ActiveLearningClassifier(
    ...     make_pipeline(MinMaxScaler(), LogisticRegression()),
    ...     strategy=QUIRESampling(gamma=0.5),
    ... )
    """

    nonnegative = False

    _parameter_constraints = {
        "gamma": [Interval(Real, 0, None, closed="left"), None],
        "reg": [Interval(Real, 0, None, closed="neither")],
        "kernel": [StrOptions(set(kernel_metrics())), Function()],
        "criterion": [StrOptions({"min_max", "simplified"})],
        "max_samples": [Interval(Integral, 2, None, closed="left")],
    }

    def __init__(
        self,
        gamma=1.0,
        reg=1.0,
        *,
        kernel="rbf",
        criterion="min_max",
        max_samples=3000,
    ):
        self.gamma = gamma
        self.reg = reg
        self.kernel = kernel
        self.criterion = criterion
        self.max_samples = max_samples

    @property
    def needs(self):
        return frozenset({"embedding"})

    def utility(self, pool):
        rng = np.random.default_rng(pool.random_state)
        known = draw_rows(np.flatnonzero(pool.labeled), self.max_samples, rng)
        with one_thread():
            features_known = self._embed(pool, known)
            machine = _Machine(
                self._kernel(features_known, features_known), pool.y[known], self.reg
            )
            everything = None
            if self.criterion == "simplified":
                rows = draw_rows(np.arange(len(pool.labeled)), self.max_samples, rng)
                everything = _Inverse(
                    rows, self._embed(pool, rows), self._kernel, self.reg
                )
            value = np.empty(len(pool))
            size = _BLOCK_NUMBERS // (features_known.shape[1] + len(known))
            for block in slices(len(pool), size):
                rows = pool.candidates[block]
                features = self._embed(pool, rows)
                kernel = self._kernel(features, features_known)
                diagonal = self._diagonal(features)
                if everything is None:
                    part = machine.min_max(kernel, diagonal)
                else:
                    L_ss = everything.diagonal(rows, features, diagonal)
                    part = machine.simplified(
                        kernel, diagonal, L_ss, everything.log_det
                    )
                value[block] = part
        return -value

    def _embed(self, pool, rows):
        return pool.embedding(rows).astype(np.float64, copy=False)

    def _kernel(self, features, others):
        if 0 in (features.shape[0], others.shape[0]):
            return np.zeros((features.shape[0], others.shape[0]))
        if callable(self.kernel):
            kernel = self.kernel(features, others)
            kernel = kernel.toarray() if issparse(kernel) else np.asarray(kernel)
            if kernel.shape != (features.shape[0], others.shape[0]):
                raise ValueError(
                    "The function `kernel` of QUIRESampling must return the kernel "
                    "matrix between the rows of its two arguments: expected shape "
                    f"{(features.shape[0], others.shape[0])}, got {kernel.shape}."
                )
            return kernel
        # The same object twice: the distance of a row to itself is then exactly 0.
        others = None if others is features else others
        return pairwise_kernels(
            features, others, metric=self.kernel, filter_params=True, gamma=self.gamma
        )

    def _diagonal(self, features):
        parts = [features[b] for b in slices(features.shape[0], _DIAGONAL_ROWS)]
        return np.concatenate([self._kernel(part, part).diagonal() for part in parts])


class _Machine:
    """A regularised kernel machine on the labelled rows, one output per column.

    Parameters
    ----------
    kernel : ndarray of shape (n_labeled, n_labeled)
        Kernel of the labelled rows.

    y : array-like of shape (n_labeled,)
        Labels.

    reg : float
        Regularisation.
    """

    def __init__(self, kernel, y, reg):
        self._reg = reg
        known, self._hypotheses = _signs(np.asarray(y))
        self._factor = _cholesky(kernel, reg)
        self._solved = _solve(self._factor, known)
        # y' A^-1 y, the same for all candidates.
        self._loss = (self._solved**2).sum() / known.shape[1]
        self._log_det = 2.0 * np.log(self._factor.diagonal()).sum()

    def _predict(self, kernel, diagonal):
        """Return f_s for each column, and c_s."""
        whitened = _solve(self._factor, kernel.T)
        variance = diagonal + self._reg - np.einsum("ij,ij->j", whitened, whitened)
        return whitened.T @ self._solved, variance

    def _worst(self, output):
        """Return the mean of -y_s f_s over the columns, for the worst label of s."""
        products = output @ self._hypotheses.T
        return -products.min(axis=1) / output.shape[1]

    def min_max(self, kernel, diagonal):
        """Return the min-max value of candidates."""
        output, variance = self._predict(kernel, diagonal)
        # The mean over the columns of (y_s - f_s)^2.
        gap = 1.0 + 2.0 * self._worst(output) + (output**2).mean(axis=1)
        return self._loss + gap / variance

    def simplified(self, kernel, diagonal, L_ss, log_det_all):
        """Return L_ss - det(L_aa) / L_ss + 2 |f_s| / c_s of candidates."""
        output, variance = self._predict(kernel, diagonal)
        # det(L_aa) is det(A) / det(K + reg I). With a small `reg` it may overflow; the
        # limit keeps the order.
        exponent = self._log_det - log_det_all - np.log(L_ss)
        ratio = np.exp(np.minimum(exponent, 700.0))
        return L_ss - ratio + 2.0 * self._worst(output) / variance


class _Inverse:
    """The diagonal of the inverse of the regularised kernel of many rows.

    Parameters
    ----------
    rows : ndarray of int
        Row numbers, ascending.

    features : {ndarray, sparse matrix} of shape (n_rows, n_features)
        Their embedding.

    kernel : callable
        ``kernel(features, others)`` returns the kernel matrix between them.

    reg : float
        Regularisation.
    """

    def __init__(self, rows, features, kernel, reg):
        self._rows, self._features = rows, features
        self._kernel, self._reg = kernel, reg
        self._factor = _cholesky(kernel(features, features), reg)
        self.log_det = 2.0 * np.log(self._factor.diagonal()).sum()
        whitened = _solve(self._factor, np.eye(len(rows)))
        self._own = np.einsum("ij,ij->j", whitened, whitened)

    def diagonal(self, rows, features, diagonal):
        """Return 1 / (k_ss + reg - k_sr (K_rr + reg I)^-1 k_rs), r all rows but s."""
        where = np.minimum(np.searchsorted(self._rows, rows), len(self._rows) - 1)
        L_ss = self._own[where]
        others = np.flatnonzero(self._rows[where] != rows)
        if len(others):
            kernel = self._kernel(features[others], self._features)
            whitened = _solve(self._factor, kernel.T)
            explained = np.einsum("ij,ij->j", whitened, whitened)
            L_ss[others] = 1.0 / (diagonal[others] + self._reg - explained)
        return L_ss


def _signs(y):
    """Return labels as columns of -1 and 1, and the possible labels as rows."""
    classes = np.unique(y)
    if len(classes) <= 2:
        column = np.where(y == classes[-1:], 1.0, -1.0).reshape(-1, 1)
        return column, np.array([[1.0], [-1.0]])
    return np.where(y[:, None] == classes, 1.0, -1.0), 2.0 * np.eye(len(classes)) - 1.0


def _cholesky(kernel, reg):
    """Return the lower factor of a regularised kernel."""
    matrix = np.array(kernel, dtype=np.float64)
    matrix.flat[:: len(matrix) + 1] += reg
    try:
        return np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError as error:
        raise ValueError(
            f"The kernel matrix plus reg={reg} on its diagonal is not positive "
            "definite, as QUIRE takes it to be. Use a larger `reg`, or a positive "
            "semidefinite kernel, such as 'rbf'."
        ) from error


def _solve(factor, right):
    """Return the solution of a triangular system, which may be empty."""
    if len(factor) == 0:
        return np.asarray(right)
    return solve_triangular(factor, right, lower=True, check_finite=False)
