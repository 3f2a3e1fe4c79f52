"""Several annotators, and the label that enough of them give."""

from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator

from skactive.exceptions import OracleError, StopLabeling
from skactive.oracles._asking import (
    KEYWORDS,
    answer_list,
    ask_oracle,
    oracle_keywords,
    prepare_oracle,
    split_answers,
)
from skactive.oracles._cached import CachedOracle
from skactive.utils._labels import check_missing_label, parse_label
from skactive.utils._naming import naming
from skactive.utils._rows import like_given, take_rows
from skactive.utils._shown import BriefMixin, shown
from skactive.utils._sklearn import Interval, _num_samples


@dataclass(frozen=True)
class _Question:
    """The rows that one annotator is asked about, as `ask_oracle` wants them."""

    X: Any
    indices: np.ndarray
    sample_ids: Any
    proba: np.ndarray | None
    classes: np.ndarray | None


class _FreeVotes:
    """Finds the rows whose votes all cost no budget."""

    def __init__(self, uncharged):
        self._uncharged = uncharged
        self._votes = set()

    def add(self, number, sample_ids):
        """Note that the votes of one annotator for some rows cost no budget."""
        self._votes.update((number, sample_id) for sample_id in sample_ids)

    def tell(self, records):
        """Tell the run which rows cost no budget, and forget the votes."""
        names = [
            record["sample_id"]
            for record in records
            if record["votes"]
            and all((n, record["sample_id"]) in self._votes for n in record["votes"])
        ]
        self._votes.clear()
        if names and self._uncharged is not None:
            self._uncharged(names)


class MajorityOracle(BriefMixin, BaseEstimator):
    """Ask several annotators, and take the label that enough of them give.

    The label of a row is the one that most annotators give, if `min_agree` of them do;
    if fewer do, or two labels tie, there is no answer. Annotators are asked one after
    the other, a batch at a time. Like any oracle, each gets `sample_ids`, `proba` and
    `classes` if its signature names them.

    If an annotator fails or stops, the labels of the first rows that are settled
    without it are returned, and then its error is raised. Votes for the other rows are
    kept, and are not asked for again when their `sample_ids` come back; so use one
    object for one data set.

    An annotator that is a :class:`CachedOracle` gets the same facts about the run as on
    its own: closed classes, the missing label and prices. It charges one price for each
    vote. A row costs no budget if all of its votes are abstentions from files.

    Parameters
    ----------
    oracles : list of callables
        The annotators, two or more; any oracle is one.

    min_agree : int or None, default=None
        How many annotators must give a label; more than half of them if None.

    stop_early : bool, default=False
        Whether an annotator is asked only about rows whose outcome is still open: of
        three annotators, the third where the first two disagree. The labels are the
        same and fewer votes are paid for, but less is known about who agrees with whom.

    missing_label : int, str, None or nan, default=-1
        Marker by which an annotator may abstain, besides None and nan, as in
        :class:`~skactive.ActiveLearningClassifier`.

    Attributes
    ----------
    votes_ : list of dict
        One record for each row, in the order of the questions: its `sample_id`, None if
        there are no ids; `votes`, the answers by the number of the annotator, None
        where one abstained; and the resulting `label`. Votes are there as soon as they
        are given. Copies in other processes keep records of their own.

    See Also
    --------
    SimulatedOracle : An annotator for experiments.

    Examples
    --------
    >>> from skactive.oracles import MajorityOracle
    >>> def ann(X):
    ...     return ["cat", "cat", "dog"]
    >>> def bob(X):
    ...     return ["cat", "dog", None]
    >>> def cem(X):
    ...     return ["dog", "dog", "cat"]
    >>> oracle = MajorityOracle([ann, bob, cem], min_agree=2)
    >>> list(oracle([[0.0], [1.0], [2.0]]))
    ['cat', 'dog', None]
    >>> oracle.votes_[2]["votes"]
    {0: 'dog', 1: None, 2: 'cat'}
    """

    _parameter_constraints = {
        "oracles": [list, tuple],
        "min_agree": [Interval(Integral, 1, None, closed="left"), None],
        "stop_early": ["boolean"],
        "missing_label": "no_validation",
    }

    def __init__(self, oracles, *, min_agree=None, stop_early=False, missing_label=-1):
        self.oracles = oracles
        self.min_agree = min_agree
        self.stop_early = stop_early
        self.missing_label = missing_label

    def __call__(self, X, sample_ids=None, proba=None, classes=None):
        """Ask the annotators about some rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, list} of length n_rows
            The rows.

        sample_ids : array-like of shape (n_rows,) or None, default=None
            Ids of the rows.

        proba : ndarray of shape (n_rows, n_classes) or None, default=None
            Probabilities by the model.

        classes : ndarray of shape (n_classes,) or None, default=None
            The classes that are known.

        Returns
        -------
        labels : iterator
            One label for each row, or None.
        """
        self.wanted_keywords(has_sample_ids=sample_ids is not None)
        return self._vote(self.oracles, X, sample_ids, proba, classes)

    def wanted_keywords(self, *, has_sample_ids):
        """Return what the annotators want by keyword, or raise if they cannot work.

        Parameters
        ----------
        has_sample_ids : bool
            Whether the fit got `sample_ids`.

        Returns
        -------
        keywords : tuple of str
            Those of `sample_ids`, `proba` and `classes` that an annotator names.
        """
        self._validate_params()
        with naming("missing_label", self):
            check_missing_label(self.missing_label)
        n_oracles = len(self.oracles)
        if n_oracles < 2 or (self.min_agree or 0) > n_oracles:
            raise ValueError(
                "MajorityOracle needs two or more oracles, and min_agree at most as "
                f"many; got {n_oracles} oracles and min_agree={self.min_agree}."
            )
        wanted = {"sample_ids"} if has_sample_ids else set()
        for oracle in self.oracles:
            with naming("oracles", self):
                wanted.update(oracle_keywords(oracle, has_sample_ids=has_sample_ids))
        self._refuse_shared_answers()
        return tuple(name for name in KEYWORDS if name in wanted)

    def for_run(self, facts):
        """Return the oracle of one run; the annotators get the facts about it, too.

        Parameters
        ----------
        facts : RunFacts
            The facts about the run.

        Returns
        -------
        oracle : callable
            The oracle of this run.
        """
        free = _FreeVotes(facts.uncharged)
        asked = []
        for number, oracle in enumerate(self.oracles):
            # A vote may differ from the label of its row, so they are not compared.
            told = replace(facts, given=([], []), uncharged=partial(free.add, number))
            asked.append(prepare_oracle(oracle, lambda told=told: told))
        return partial(self._vote, asked, free=free)

    def _vote(self, asked, X, sample_ids=None, proba=None, classes=None, *, free=None):
        """Return the labels of some rows; `asked` are the oracles as a run has them."""
        rows = np.arange(_num_samples(X))
        proba = None if proba is None else np.asarray(proba)
        question = _Question(X, rows, sample_ids, proba, classes)
        return self._answers(asked, question, self._open_records(question), free)

    def _refuse_shared_answers(self):
        """Raise if two annotators keep their answers in one place."""
        first = {}
        for number, oracle in enumerate(self.oracles):
            if not isinstance(oracle, CachedOracle):
                continue
            oracle._validate_params()
            place = Path(oracle.path).absolute(), oracle.task
            if place in first:
                raise ValueError(
                    f"The annotators {first[place]} and {number} of the MajorityOracle "
                    f"both keep their answers in {oracle.path} under the task "
                    f"{oracle.task!r}, so that the second would only repeat the first. "
                    "Give each a `task` or a `path` of its own."
                )
            first[place] = number

    def _open_records(self, question):
        """Return one record for each row, with the votes that are paid for already."""
        if not hasattr(self, "votes_"):
            self.votes_, self._unfinished = [], {}
        ids = question.sample_ids
        if ids is None:
            ids = [None] * len(question.indices)
        records = []
        for sample_id in ids.tolist() if hasattr(ids, "tolist") else ids:
            record = self._unfinished.get(sample_id)
            if record is None:
                record = {"sample_id": sample_id, "votes": {}, "label": None}
                self.votes_.append(record)
            if sample_id is not None:
                self._unfinished[sample_id] = record
            records.append(record)
        return records

    def _answers(self, asked, question, records, free):
        """Yield the labels that are settled; then raise the error of an annotator."""
        failure = None
        try:
            self._collect_votes(asked, question, records)
        except BaseException as error:  # raised again below
            failure = error
        if free is not None:
            free.tell(records)
        for record in records:
            is_settled, label = self._outcome(record["votes"])
            if not is_settled:
                break
            record["label"] = label
            self._unfinished.pop(record["sample_id"], None)
            yield label
        if failure is not None:
            raise failure

    def _collect_votes(self, asked, question, records):
        for number, oracle in enumerate(asked):
            rows = [
                row
                for row, record in enumerate(records)
                if number not in record["votes"]
                and not (self.stop_early and self._outcome(record["votes"])[0])
            ]
            if rows and self._ask(number, oracle, question, rows, records):
                raise StopLabeling(f"Annotator {number} has stopped answering.")

    def _ask(self, number, asked, question, rows, records):
        """Ask one annotator about rows; return whether it wants the run to end."""
        oracle = self.oracles[number]
        keywords = oracle_keywords(
            oracle, has_sample_ids=question.sample_ids is not None
        )
        tell = partial(self._record, number, records)
        try:
            return ask_oracle(asked, keywords, _part_of(question, rows), tell)
        except OracleError as error:
            raise OracleError(
                f"Annotator {number}, {shown(oracle)}: {error} All votes that were "
                "given are kept in `votes_` of the MajorityOracle.",
                answers=error.answers,
            ) from error

    def _record(self, number, records, labels, indices):
        """Record the votes of one annotator that are labels or abstentions."""
        values = answer_list(labels, len(indices), missing_label=self.missing_label)
        parse = partial(parse_label, kind=None, missing_label=self.missing_label)
        votes, refused = split_answers(zip(indices, values, strict=True), parse)
        for row, label in votes.items():
            records[row]["votes"][number] = label
        if refused:
            raise OracleError(
                f"{len(refused)} of {len(values)} answers are not valid labels: "
                f"{'; '.join(why for _, _, why in refused[:5])}.",
                answers=[value for _, value, _ in refused],
            )

    def _outcome(self, votes):
        """Tell whether the missing votes can change nothing, and return the label."""
        n_left = len(self.oracles) - len(votes)
        min_agree = self.min_agree or len(self.oracles) // 2 + 1
        counts = Counter(vote for vote in votes.values() if vote is not None)
        (label, first), (_, second) = (counts.most_common(2) + [(None, 0)] * 2)[:2]
        if first >= min_agree and first > second + n_left:
            return True, label
        return n_left == 0 or first + n_left < min_agree, None


def _part_of(question, rows):
    """Return the question about some rows, copied: an annotator may change its rows."""
    X, ids, proba = question.X, question.sample_ids, question.proba
    indexed = X.tocsr() if issparse(X) else X
    return _Question(
        X=like_given(take_rows(indexed, rows), X),
        indices=np.asarray(rows),
        sample_ids=None if ids is None else take_rows(ids, rows),
        proba=None if proba is None else proba[rows],
        classes=None if question.classes is None else question.classes.copy(),
    )
