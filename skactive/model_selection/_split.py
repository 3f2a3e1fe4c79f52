"""Cross-validation of partly labelled data."""

from numbers import Integral

import numpy as np
from sklearn.model_selection import BaseCrossValidator, TimeSeriesSplit, check_cv

from skactive.utils._containers import check_aligned, refuse_lazy
from skactive.utils._labels import check_missing_label, split_labeled
from skactive.utils._naming import naming
from skactive.utils._rows import take_rows


class LabeledFold(BaseCrossValidator):
    """Split the labelled rows; unlabelled ones join every training part.

    A splitter that does not know missing labels splits them like all others: a
    stratified one takes -1 for a class, test parts hold rows that cannot be scored, and
    a training part may be left without a label. Here the wrapped splitter sees only the
    labelled rows.

    Parameters
    ----------
    cv : int or cross-validation splitter, default=5
        The splitter, or the number of stratified folds.

    missing_label : int, str, None or nan, default=-1
        Marker of a row without a label.

    Examples
    --------
    >>> import numpy as np
    >>> from skactive.model_selection import LabeledFold
    >>> y = np.array([0, -1, 1, 0, -1, 1])
    >>> for train, test in LabeledFold(2).split(np.zeros((6, 1)), y):
    ...     print(train, test)
    [1 3 4 5] [0 2]
    [0 1 2 4] [3 5]
    """

    # Passed on to the wrapped splitter, and used to keep groups apart.
    __metadata_request__split = {"groups": True}

    def __init__(self, cv=5, *, missing_label=-1):
        self.cv = cv
        self.missing_label = missing_label

    def split(self, X, y, groups=None):
        """Generate row numbers of training and test parts.

        Parameters
        ----------
        X : array-like of length n_samples
            Rows.

        y : array-like of shape (n_samples,)
            Labels, and `missing_label` where the label is not known.

        groups : array-like of shape (n_samples,) or None, default=None
            Groups of rows. Unlabelled rows of a group in the test part stay out of
            the training part.

        Yields
        ------
        train : ndarray of int
            Row numbers of the training part, ascending.

        test : ndarray of int
            Row numbers of the test part; all of them are labelled.

        Raises
        ------
        ValueError
            If no row has a label, or if `cv` is a TimeSeriesSplit: unlabelled rows in
            every training part would break the order of time.
        """
        refuse_lazy(X, "X")
        check_aligned(X, {"y": y, "groups": groups})
        cv, rows, others, labels = self._labeled_part(y)
        groups = None if groups is None else np.asarray(groups)
        X_labeled = take_rows(X, rows)
        groups_labeled = None if groups is None else groups[rows]
        with naming("cv", self):
            splits = [
                (rows[train], rows[test])
                for train, test in cv.split(X_labeled, labels, groups_labeled)
            ]
        for train, test in splits:
            # Unlabelled rows of a test group, once queried, would leak the group.
            joining = others
            if groups is not None:
                joining = others[~np.isin(groups[others], groups[test])]
            yield np.sort(np.concatenate([train, joining])), test

    def get_n_splits(self, X=None, y=None, groups=None):
        """Return the number of splits.

        Parameters
        ----------
        X : array-like of length n_samples, default=None
            Rows.

        y : array-like of shape (n_samples,), default=None
            Labels; needed if the number of splits depends on them.

        groups : array-like of shape (n_samples,), default=None
            Groups of rows.

        Returns
        -------
        n_splits : int
            Number of pairs that :meth:`split` yields.
        """
        if y is None:
            if isinstance(self.cv, Integral):
                return int(self.cv)
            return self.cv.get_n_splits(X, y, groups)
        cv, rows, _, labels = self._labeled_part(y)
        groups = None if groups is None else np.asarray(groups)[rows]
        return cv.get_n_splits(rows, labels, groups)

    def _labeled_part(self, y):
        """Return the splitter, the labelled rows, the others, and the labels."""
        with naming("missing_label", self):
            check_missing_label(self.missing_label)
        if isinstance(self.cv, TimeSeriesSplit):
            raise ValueError(
                "LabeledFold cannot wrap TimeSeriesSplit: unlabelled rows join every "
                "training part, and would bring the future into it."
            )
        y, labeled, labels = split_labeled(y, self.missing_label, owner="LabeledFold")
        if not labeled.any():
            raise ValueError(
                "LabeledFold found no row with a label: all of y is missing_label="
                f"{self.missing_label!r}."
            )
        with naming("cv", self):
            is_flag = isinstance(self.cv, bool)  # True is the int 1
            cv = check_cv("a flag" if is_flag else self.cv, labels, classifier=True)
        return cv, np.flatnonzero(labeled), np.flatnonzero(~labeled), labels
