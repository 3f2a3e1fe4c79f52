"""The label store: what happens to answers, claims and money in one transaction."""

import json

from skactive.exceptions import StoreCorruptedError
from skactive.oracles._store.account import (
    charge,
    close_breaker,
    open_breaker,
    raise_if_broken,
    read_account,
    within_limits,
)
from skactive.oracles._store.answers import (
    add_answers,
    answer_records,
    counts_of_tasks,
    keys_of_label,
    known_answers,
    labels_of_task,
)
from skactive.oracles._store.claims import (
    Claim,
    add_claims,
    claimed_by_others,
    count_claims,
    drop_claims_of_owner,
    drop_claims_of_rows,
    drop_expired_claims,
    keys_of_owner,
    renew_claims,
)
from skactive.oracles._store.connection import StoreConnection
from skactive.oracles._store.events import count_events, event_records, log_event
from skactive.oracles._store.file import raise_unless_ok


class LabelStore(StoreConnection):
    """The file that keeps the labels. Each method is one transaction.

    Its parameters are those of :class:`StoreConnection`.
    """

    def answers(self, task, keys):
        """Return the labels that are known of some rows, by key."""
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

    def claim(self, task, prices, owner, seconds, *, max_calls=None, max_cost=None):
        """Claim the rows that nobody has answered or is asking about, and pay for them.

        Parameters
        ----------
        task : str
            The question.

        prices : dict
            Price of the label of each row, by key.

        owner : str
            Name of the claim.

        seconds : float
            How long it is valid if it is not renewed.

        max_calls, max_cost : float or None
            What may be spent through this file.

        Returns
        -------
        claim : Claim
            The rows to ask about, and what is known of the others.
        """
        keys = list(prices)
        # Looking and claiming are one transaction: between them, another process
        # could claim the same rows, and both would pay.
        with self._writing() as run:
            answers = known_answers(run, task, keys)
            others = claimed_by_others(run, task, keys, owner) - answers.keys()
            free = [key for key in keys if key not in answers and key not in others]
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
        others = [key for key in keys if key in others]
        return Claim(owner, answers, mine, others, limit, {k: prices[k] for k in mine})

    def renew(self, owner):
        """Make a claim valid for its full time again."""
        with self._writing() as run:
            renew_claims(run, owner)

    def release(self, claim, *, refund=False, failure=None):
        """Give up what is left of a claim.

        Parameters
        ----------
        claim : Claim
            The claim.

        refund : bool, default=False
            Whether rows without an answer were not paid for.

        failure : str or None, default=None
            What went wrong; it opens the circuit breaker.
        """
        with self._writing() as run:
            if refund:
                left = keys_of_owner(run, claim.owner)
                cost = sum(claim.cost[key] for key in left)
                charge(run, n_asked=-len(left), cost=-cost)
            drop_claims_of_owner(run, claim.owner)
            if failure is not None:
                open_breaker(run, failure)
                log_event(run, "failure", detail=failure)

    def record(self, task, labels, annotator):
        """Write answers; the first answer for a row stays.

        An answer is taken from anybody, whoever has a claim on the row: one that comes
        after its claim has ended was paid for, too.

        Parameters
        ----------
        task : str
            The question.

        labels : dict
            Labels, None for an abstention, by key.

        annotator : str
            Who answered.

        Returns
        -------
        contradictions : dict
            The first answers of the rows for which they differ, by key.
        """
        with self._writing() as run:
            known = known_answers(run, task, list(labels))
            add_answers(run, task, labels, annotator)
            drop_claims_of_rows(run, task, labels)
            # Compared as JSON: to Python, 1, 1.0 and True are equal.
            first = {
                key: known[key]
                for key, label in labels.items()
                if key in known and json.dumps(known[key]) != json.dumps(label)
            }
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

    def reset(self):
        """Close the circuit breaker and drop the claims that have expired."""
        with self._writing() as run:
            close_breaker(run)
            drop_expired_claims(run)
            log_event(run, "reset")

    def records(self, task=None):
        """Return who answered what and when, one dict per answer, the oldest first."""
        with self._reading() as run:
            return answer_records(run, task)

    def events(self):
        """Return contradictions, failures, resets and migrations, the oldest first."""
        with self._reading() as run:
            return event_records(run)

    def summary(self):
        """Return what the store holds, in numbers."""
        with self._reading() as run:
            account = read_account(run)
            return {
                "tasks": counts_of_tasks(run),
                "n_calls": account["n_calls"],
                "n_asked": account["n_asked"],
                "cost": account["cost"],
                "n_claimed": count_claims(run),
                "n_contradictions": count_events(run, "contradiction"),
                "breaker": account["breaker"],
            }

    def check(self):
        """Read every page and every answer; raise if anything is damaged."""
        with self._reading() as run:
            raise_unless_ok(self.path, run("PRAGMA integrity_check").fetchall())
        try:
            self.records()
        except ValueError as error:
            raise StoreCorruptedError(
                f"The label store {self.path} holds an answer that is not JSON: "
                f"{error}."
            ) from error
