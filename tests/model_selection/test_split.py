"""LabeledFold: folds of labelled rows; the others join every training part."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import (
    GroupKFold,
    LeaveOneGroupOut,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedKFold,
    TimeSeriesSplit,
    cross_val_score,
)
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.tree import DecisionTreeClassifier

from skactive.model_selection import LabeledFold

y = np.array([0, -1, 1, 0, 1, -1, 0, 1, -1, 0, 1])
X = np.arange(22.0).reshape(11, 2)
labeled, unlabeled = np.flatnonzero(y != -1), np.flatnonzero(y == -1)


@pytest.mark.parametrize("cv", [2, StratifiedKFold(4), ShuffleSplit(3, random_state=0)])
def test_unlabeled_rows_are_in_every_training_part_and_in_no_test_part(cv):
    splits = list(LabeledFold(cv).split(X, y))
    assert len(splits) == LabeledFold(cv).get_n_splits(X, y)
    for train, test in splits:
        assert np.isin(unlabeled, train).all()
        assert (y[test] != -1).all()
        assert not np.isin(test, train).any()
        assert (np.diff(train) > 0).all()


def test_the_wrapped_splitter_sees_the_labeled_rows_only():
    ours = LabeledFold(StratifiedKFold(2)).split(X, y)
    theirs = StratifiedKFold(2).split(X[labeled], y[labeled])
    for (train, test), (train_labeled, test_labeled) in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(test, labeled[test_labeled])
        np.testing.assert_array_equal(train[y[train] != -1], labeled[train_labeled])


def test_unlabeled_rows_of_a_test_group_stay_out_of_the_training_part():
    groups = np.array(["a", "a", "a", "b", "b", "b", "c", "c", "c", "d", "d"])
    for train, test in LabeledFold(GroupKFold(2)).split(X, y, groups):
        assert not np.isin(groups[train], groups[test]).any()
        assert (
            len(train) + len(test) + np.isin(groups[unlabeled], groups[test]).sum()
            == 11
        )


def test_the_number_of_splits_may_depend_on_the_labeled_groups():
    groups = np.array([0, 1, 0, 2, 2, 1, 0, 2, 1, 3, 3])
    splitter = LabeledFold(LeaveOneGroupOut())
    assert splitter.get_n_splits(X, y, groups) == 3  # group 1 has no labelled row
    assert len(list(splitter.split(X, y, groups))) == 3


@pytest.mark.parametrize("marker", [None, "", np.nan])
def test_any_marker_will_do(marker):
    names = pd.Series(["n", "p"]).reindex(y).to_numpy(dtype=object)
    names[unlabeled] = marker
    splits = LabeledFold(2, missing_label=marker).split(X, names)
    assert all((y[test] != -1).all() for _, test in splits)


def test_repetitions_are_counted():
    cv = RepeatedStratifiedKFold(n_splits=2, n_repeats=3, random_state=0)
    assert LabeledFold(cv).get_n_splits(X, y) == 6
    assert LabeledFold(4).get_n_splits() == 4


def test_a_split_over_time_is_refused():
    with pytest.raises(ValueError, match="future"):
        next(LabeledFold(TimeSeriesSplit(2)).split(X, y))


def test_rows_without_any_label_are_refused():
    with pytest.raises(ValueError, match="no row with a label"):
        next(LabeledFold(2).split(X, np.full(11, -1)))


def test_semi_supervised_classifiers_are_cross_validated_on_labels_only():
    clf = SelfTrainingClassifier(DecisionTreeClassifier(random_state=0))
    target = np.where(y == -1, -1, (X[:, 0] > 10).astype(int))
    scores = cross_val_score(clf, X, target, cv=LabeledFold(2))
    assert scores.shape == (2,)
    assert scores.min() > 0.5
