"""The label store: its transactions on answers, claims, payments and logs."""

import json

from skactive.exceptions import StoreCorruptedError
from skactive.oracles._store.account import (
    charge,
    close_breaker,
    open_breaker,
    raise_if_broken,
    read_account,
    read_salt,
    within_limits,
)
from skactive.oracles._store.answers import (
    add_answers,
    all_answers,
    answer_records,
    authors,
    counts_of_tasks,
    drop_answers,
    keys_of_label,
    known_answers,
    labels_of_task,
    readable_answers,
    replace_answers,
    stored_hashes,
    to_key,
)
from skactive.oracles._store.claims import (
    Claim,
    add_claims,
    claimed_by_others,
    count_claims,
    drop_claims_of_owner,
    drop_claims_of_rows,
    drop_expired_claims,
    drop_given_up,
    give_up,
    keys_of_owner,
    renew_claims,
)
from skactive.oracles._store.connection import StoreConnection
from skactive.oracles._store.damage import damaged
from skactive.oracles._store.events import (
    correction_records,
    count_events,
    event_records,
    log_correction,
    log_event,
)
from skactive.oracles._store.file import raise_unless_ok
from skactive.oracles._store.log import (
    append_entries,
    log_entries,
    log_length,
    log_lengths,
    readable_labels,
)


class LabelStore(StoreConnection):
    """The file that keeps the labels. Each method is one transaction.

    Its parameters are those of :class:`StoreConnection`.
    """

    def answers(self, task, keys):
        """Return the known labels of some rows, by key."""
        with self._reading() as run:
            return known_answers(run, task, keys)

    def labels(self, task):
        """Return the different labels of a task."""
        with self._reading() as run:
            return labels_of_task(run, task)

    def keys_of(self, task, label):
        """Return the keys of the rows of a task that have a label."""
        with self._reading() as run:
            return keys_of_label(run, task, label)

    def claim(
        self,
        task,
        prices,
        owner,
        seconds,
        *,
        max_calls=None,
        max_cost=None,
        again=False,
    ):
        """Claim and pay for the rows that have no answer and no other claim.

        Parameters
        ----------
        task : str
            The question.

        prices : dict
            Price of the label of each row, by key.

        owner : str
            Name of the claim.

        seconds : float
            Number of seconds that it is valid if it is not renewed.

        max_calls, max_cost : float or None
            What may be spent through this file.

        again : bool, default=False
            Whether rows that have an answer are claimed, too.

        Returns
        -------
        claim : Claim
            The rows to ask about, and what is known about the others.
        """
        try:
            return self._claim(task, prices, owner, seconds, max_calls, max_cost, again)
        except (KeyboardInterrupt, SystemExit):  # perhaps after the rows were claimed
            give_up(owner)
            raise

    def _claim(self, task, prices, owner, seconds, max_calls, max_cost, again):
        keys = list(prices)
        # Looking and claiming are one transaction: between them, another process
        # could claim the same rows, and both would pay.
        with self._writing() as run:
            drop_given_up(run)
            answers = {} if again else known_answers(run, task, keys)
            wanted = [key for key in keys if key not in answers]
            others = claimed_by_others(run, task, wanted, owner)
            free = [key for key in wanted if key not in others]
            mine, limit = free, None
            if free:
                raise_if_broken(run, self.path)
                mine, limit = within_limits(run, free, prices, max_calls, max_cost)
            if mine:
                add_claims(run, task, mine, owner, seconds)
                # Paid for before the oracle is called: a process that dies meanwhile
                # may have been charged.
                cost = sum(prices[key] for key in mine)
                charge(run, n_calls=1, n_asked=len(mine), cost=cost)
        return Claim(owner, answers, mine, others, limit, {k: prices[k] for k in mine})

    def renew(self, owner):
        """Make a claim valid for its full time again."""
        with self._writing() as run:
            renew_claims(run, owner)

    def release(self, claim, *, refund=(), failure=None):
        """Give up what is left of a claim.

        If the file cannot be written to, the claim is dropped when this process claims
        rows again.

        Parameters
        ----------
        claim : Claim
            The claim.

        refund : collection of str, default=()
            Keys of rows that were not paid for; those with an answer do not count.

        failure : str or None, default=None
            What went wrong with the oracle; it opens the circuit breaker.
        """
        try:
            with self._writing() as run:
                if refund:
                    left = set(keys_of_owner(run, claim.owner)).intersection(refund)
                    cost = sum(claim.cost[key] for key in left)
                    charge(run, n_asked=-len(left), cost=-cost)
                drop_claims_of_owner(run, claim.owner)
                if failure is not None:
                    open_breaker(run, failure)
                    log_event(run, "failure", detail=failure)
        except BaseException:  # an interrupt, too
            give_up(claim.owner)
            raise

    def record(self, task, labels, annotator, hashes=None):
        """Write answers; the first answer for a row stays.

        An answer is taken from anybody, whoever has claimed the row: an answer that
        comes after the end of its claim was paid for, too.

        Parameters
        ----------
        task : str
            The question.

        labels : dict
            Labels, None for an abstention, by key.

        annotator : str
            Who answered.

        hashes : dict or None, default=None
            Hashes of the contents of rows by key, to be stored with new answers.

        Returns
        -------
        contradictions : dict
            The first answers, by key, of the rows for which the answers differ.
        """
        with self._writing() as run:
            return _record(run, task, labels, annotator, hashes)

    def correct(self, task, labels, annotator):
        """Replace labels; the old ones are kept as events.

        If the task has a log, an entry of the kind "correction" is appended to it.

        Parameters
        ----------
        task : str
            The question.

        labels : dict
            The new labels by key, None for an abstention. Rows that have this label
            already are ignored; rows without an answer get one.

        annotator : str
            Who corrects.

        Returns
        -------
        old : dict
            The labels that were replaced, by key.
        """
        with self._writing() as run:
            changed, old = _correct(run, task, labels, annotator)
            position = log_length(run, task)
            if changed and position:
                entry = {
                    "kind": "correction",
                    "rows": [json.loads(key) for key in changed],
                    "labels": list(changed.values()),
                    "old": [old.get(key) for key in changed],
                    "by": annotator,
                    "at": run.now,
                }
                append_entries(run, task, position, [entry])
        return old

    def corrections(self, task):
        """Return the corrections of a task, one dict for each, the oldest first.

        If there was no answer before, `old_label` and `old_annotator` are None; if it
        was an abstention, only `old_label`.
        """
        with self._reading() as run:
            return correction_records(run, task)

    def forget_skips(self, task, keys):
        """Remove abstentions, so that the rows may be asked about again.

        If the task has a log, an entry of the kind "again" is appended to it.

        Parameters
        ----------
        task : str
            The question.

        keys : list of str
            Keys of rows. Rows with a label or without an answer are ignored.

        Returns
        -------
        forgotten : list of str
            Keys of the rows whose abstention was removed.
        """
        with self._writing() as run:
            forgotten = _forget_skips(run, task, keys)
            position = log_length(run, task)
            if forgotten and position:
                # A session knows of the skip from its log, and would not ask.
                rows = [json.loads(key) for key in forgotten]
                entry = {"kind": "again", "at": run.now, "rows": rows}
                append_entries(run, task, position, [entry])
        return forgotten

    def answers_of(self, task):
        """Return all labels of a task, by key."""
        with self._reading() as run:
            return all_answers(run, task)

    def log(self, task, after=-1):
        """Return the log of a task after a position: pairs (position, entry), in order.

        Raises
        ------
        StoreCorruptedError
            If an entry is missing, or is not what was written. The error has the labels
            of the task that can be read as `answers`.
        """
        with self._reading() as run:
            try:
                return log_entries(run, task, after)
            except StoreCorruptedError as error:
                told = readable_labels(run, task)
                error.answers = told | readable_answers(run, task)
                raise

    def extend_log(self, task, n_known, entries, effects=()):
        """Append entries to the log of a task, and apply them to its answers.

        If others have appended entries, nothing is written. The time does not depend on
        the length of the log.

        Parameters
        ----------
        task : str
            The question.

        n_known : int
            Number of entries that the caller knows.

        entries : list of dict
            New entries, made of what JSON holds.

        effects : sequence of tuple
            Changes of the answers: triples of labels by key, the annotator, and whether
            the labels replace answers (as in :meth:`correct`) or the first answer stays
            (as in :meth:`record`).

        Returns
        -------
        news : list of dict
            Entries that others have appended. If there are any, nothing was written:
            take them in and try again.

        Raises
        ------
        StoreCorruptedError
            If the log is shorter than known, or an entry is not what was written.
        """
        with self._writing() as run:
            length = log_length(run, task)
            if length > n_known:
                return [entry for _, entry in log_entries(run, task, n_known - 1)]
            if length < n_known:
                raise damaged(
                    self.path,
                    f"the log of the task {task!r} has {length} entries and had "
                    f"{n_known}; was the file replaced by an older one?",
                )
            append_entries(run, task, length, entries)
            for entry in entries:
                if entry["kind"] == "again":  # a stored skip would be the answer
                    _forget_skips(run, task, [to_key(n) for n in entry["rows"]])
            for labels, annotator, replace in effects:
                (_correct if replace else _record)(run, task, labels, annotator)
        return []

    def row_hashes(self, task, keys):
        """Return the stored hashes of rows, by key; rows without one are left out."""
        with self._reading() as run:
            return stored_hashes(run, task, keys)

    def salt(self):
        """Return the random text with which this file salts the hashes of rows."""
        with self._reading() as run:
            return read_salt(run)

    def reset(self):
        """Close the circuit breaker and drop the claims not renewed in time."""
        with self._writing() as run:
            close_breaker(run)
            drop_expired_claims(run)
            log_event(run, "reset")

    def records(self, task=None):
        """Return one dict per answer, the oldest first: who gave it and when."""
        with self._reading() as run:
            return answer_records(run, task)

    def events(self):
        """Return one dict per event, the oldest first."""
        with self._reading() as run:
            return event_records(run)

    def summary(self):
        """Return counts of what is in the store."""
        with self._reading() as run:
            account = read_account(run)
            tasks, lengths = counts_of_tasks(run), log_lengths(run)
            none = {"n_answers": 0, "n_abstained": 0}
            return {
                "tasks": {
                    task: tasks.get(task, none) | {"n_entries": lengths.get(task, 0)}
                    for task in sorted(tasks.keys() | lengths.keys())
                },
                "n_calls": account["n_calls"],
                "n_asked": account["n_asked"],
                "cost": account["cost"],
                "n_claimed": count_claims(run),
                "n_contradictions": count_events(run, "contradiction"),
                "n_corrections": count_events(run, "correction"),
                "breaker": account["breaker"],
            }

    def check(self):
        """Read every page, answer, event and entry; raise if anything is damaged."""
        with self._reading() as run:
            raise_unless_ok(self.path, run("PRAGMA integrity_check").fetchall())
            read_account(run)
            answer_records(run)
            event_records(run)
            correction_records(run)
            for task in log_lengths(run):
                log_entries(run, task)


def _forget_skips(run, task, keys):
    """Remove abstentions; return the keys of their rows."""
    known = known_answers(run, task, keys)
    forgotten = [key for key, label in known.items() if label is None]
    drop_answers(run, task, forgotten)
    for key in forgotten:
        log_event(run, "ask_again", task=task, sample_id=key)
    return forgotten


def _record(run, task, labels, annotator, hashes=None):
    """Write answers of rows without one; return first answers that differ."""
    known = known_answers(run, task, list(labels))
    add_answers(run, task, labels, annotator, hashes)
    drop_claims_of_rows(run, task, labels)
    first = {key: known[key] for key in labels if _differs(labels[key], known, key)}
    for key, label in first.items():
        log_event(
            run,
            "contradiction",
            task=task,
            sample_id=key,
            label=json.dumps(labels[key]),
            annotator=annotator,
            detail=f"the first answer, {json.dumps(label)}, stays",
        )
    return first


def _correct(run, task, labels, annotator):
    """Replace answers; return the new labels and those that were replaced."""
    known = known_answers(run, task, list(labels))
    old = {key: known[key] for key in labels if _differs(labels[key], known, key)}
    new = {key: label for key, label in labels.items() if key not in known}
    changed = {key: labels[key] for key in labels if key in old or key in new}
    before = authors(run, task, list(old))
    add_answers(run, task, new, annotator)
    replace_answers(run, task, {key: labels[key] for key in old}, annotator)
    drop_claims_of_rows(run, task, changed)
    for key, label in changed.items():
        replaced = (old[key], *before[key]) if key in old else None
        log_correction(run, task, key, label, annotator, replaced)
    return changed, old


def _differs(label, known, key):
    """Return whether a row has another answer."""
    # Compared as JSON: to Python, 1, 1.0 and True are equal.
    return key in known and json.dumps(known[key]) != json.dumps(label)
