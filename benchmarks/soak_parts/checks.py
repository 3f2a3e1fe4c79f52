"""What must hold at the end, judged from the journals alone.

Two requests whose times overlap may have been served in either order. What is called
certain here holds in every order that the times allow.
"""

import numpy as np


def possible_labels(changes):
    """Return the set of labels that a row may have at the end, given its changes.

    None stands for a row without a label. The first answer wins; a skip never beats a
    label; a correction replaces whatever is there; a row that was asked about again, or
    that has lost its label, is open to one more answer.
    """
    set_by = [c for c in changes if c.label is not None and c.kind != "ask_again"]
    corrections = [c for c in changes if c.kind == "correct"]
    removed = [c for c in corrections if c.label is None]
    again = [c for c in changes if c.kind == "ask_again"]

    def is_before(first, second):
        return first.end < second.start

    def may_win(answer):
        """Whether an answer may have found the row open."""
        if any(opening.start < answer.end for opening in again):
            return True  # which answer is the one to the second question is not known
        closed_by = [c for c in set_by if is_before(c, answer)]
        return not closed_by or any(
            opening.start < answer.end
            and not any(is_before(opening, c) for c in closed_by)
            for opening in removed
        )

    possible = {
        change.label
        for change in set_by
        if (change.kind == "correct" or may_win(change))
        and not any(is_before(change, c) for c in corrections)
    }
    if not set_by or any(
        not any(is_before(last, c) for c in set_by) for last in removed
    ):
        possible.add(None)
    return possible


def wrong_labels(changes, labels):
    """Return the rows whose label is lost or wrong: (row, label, possible labels)."""
    wrong = []
    for row, of in changes.items():
        possible = possible_labels(of)
        if labels.get(row) not in possible:
            wrong.append((row, labels.get(row), possible))
    return wrong


def asked_after_answer(asks, changes):
    """Return the rows that were handed out although an answer was acknowledged."""
    found = []
    for ask in asks:
        for row in ask["rows"]:
            of = changes.get(row, ())
            answers = [c for c in of if c.kind == "tell" and c.end < ask["start"]]
            reopened = [c for c in of if c.kind == "ask_again"]
            if answers and not any(
                c.start < ask["end"] and min(a.end for a in answers) < c.end
                for c in reopened
                for a in answers
            ):
                found.append((row, ask["worker"]))
    return found


def handed_out_twice(asks, changes, lease_seconds):
    """Return the rows that two workers held at once: same run of the server, others.

    The first are errors. The others were in flight when the server was killed or began
    a new loop, after which leases are void.
    """
    errors, in_flight, by_row = [], [], {}
    for ask in sorted(asks, key=lambda ask: ask["end"]):
        for row in ask["rows"]:
            by_row.setdefault(row, []).append(ask)
    for row, of in by_row.items():
        again = [c for c in changes.get(row, ()) if c.kind == "ask_again"]
        for i, second in enumerate(of):
            for first in of[:i]:
                if (
                    first["worker"] == second["worker"]
                    or second["end"] >= first["start"] + lease_seconds
                    or any(c.end > first["start"] for c in again)
                ):
                    continue
                is_same = first["generation"] == second["generation"]
                (errors if is_same else in_flight).append(
                    (row, first["worker"], second["worker"])
                )
    return errors, in_flight


def surely_paid(asks, changes, openings):
    """Return the rows that were answered by the same run of the server that asked.

    Others may have been given up when the server began a new loop, at `openings`.
    """
    paid = set()
    for ask in asks:
        until = min((at for at in openings if at > ask["end"]), default=np.inf)
        for row in ask["rows"]:
            if any(
                c.kind == "tell" and ask["end"] < c.end < until
                for c in changes.get(row, ())
            ):
                paid.add(row)
    return paid


def missing_corrections(changes, audit):
    """Return the acknowledged corrections that the audit, of (row, label), lacks."""
    made = {
        (c.row, c.label) for of in changes.values() for c in of if c.kind == "correct"
    }
    return sorted(made - set(audit), key=str)


def first_and_last(values, n=100, warm_up=10):
    """Return the medians of the first and the last values after a warm-up, and n.

    If there are few values, fewer are taken.
    """
    values = values[min(warm_up, len(values) // 5) :]
    n = min(n, len(values) // 2)
    if n == 0:
        return np.nan, np.nan, 0
    return float(np.median(values[:n])), float(np.median(values[-n:])), n


def slope(times, values):
    """Return the growth of values in a second: the median of slopes (Theil and Sen)."""
    times, values = np.asarray(times, dtype=float), np.asarray(values, dtype=float)
    if len(times) < 2:
        return np.nan
    step = max(1, len(times) // 500)
    times, values = times[::step], values[::step]
    first, second = np.triu_indices(len(times), k=1)
    rises = (values[second] - values[first]) / (times[second] - times[first])
    return float(np.median(rises))
