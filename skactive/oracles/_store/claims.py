"""The table of claims: who is asking about which rows, and until when.

A claim is a lease. It ends by itself after `seconds` unless its owner renews it, so
that the rows of a process that died are asked about by others, and nobody has to find
out whether a process lives. In these functions `run` executes SQL within a transaction.
"""

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Claim:
    """The rows that a caller may ask about now, and what is known of the others.

    Attributes
    ----------
    owner : str
        Name of the claim.

    answers : dict
        Labels that are known, by key.

    mine : list of str
        Keys of the rows that the caller is to ask about now.

    others : list of str
        Keys of the rows that somebody else is asking about.

    limit : str or None
        The limit that excludes the other rows, None if there is none.

    cost : dict
        The price that was charged for each row of `mine`.
    """

    owner: str
    answers: dict
    mine: list
    others: list
    limit: str | None
    cost: dict


def claimed_by_others(run, task, keys, owner):
    """Return the keys of the rows that somebody else is asking about."""
    rows = run(
        "SELECT sample_id, seconds, expires_at FROM json_each(?) AS wanted "
        "CROSS JOIN claims ON task = ? AND sample_id = wanted.value "
        "WHERE owner != ?",
        (json.dumps(keys), task, owner),
    )
    # A claim that ends too far in the future was made before the clock was put
    # back. If its owner lives, it is renewed soon; otherwise it may be taken over.
    return {key for key, s, ends in rows if run.now < ends <= run.now + 2 * s}


def add_claims(run, task, keys, owner, seconds):
    """Claim rows; an expired claim of somebody else gives way."""
    ends = run.now + seconds
    run.many(
        "INSERT OR REPLACE INTO claims VALUES (?, ?, ?, ?, ?, NULL)",
        [(task, key, owner, seconds, ends) for key in keys],
    )


def renew_claims(run, owner):
    """Make the claims of an owner valid for their full time again."""
    # Each row has its own `seconds`, so that whoever renews need not know them.
    run(
        "UPDATE claims SET expires_at = ? + seconds WHERE owner = ?",
        (run.now, owner),
    )


def keys_of_owner(run, owner):
    """Return the keys of the rows that an owner has claimed and not answered."""
    query = "SELECT sample_id FROM claims WHERE owner = ?"
    return [key for (key,) in run(query, (owner,))]


def drop_claims_of_owner(run, owner):
    """Drop all claims of an owner."""
    run("DELETE FROM claims WHERE owner = ?", (owner,))


def drop_claims_of_rows(run, task, keys):
    """Drop the claims of rows, whoever owns them: they have an answer."""
    run.many(
        "DELETE FROM claims WHERE task = ? AND sample_id = ?",
        [(task, key) for key in keys],
    )


def drop_expired_claims(run):
    """Drop the claims that have ended by themselves."""
    run("DELETE FROM claims WHERE expires_at < ?", (run.now,))


def count_claims(run):
    """Return the number of rows that are being asked about."""
    query = "SELECT COUNT(*) FROM claims WHERE expires_at >= ?"
    return run(query, (run.now,)).fetchone()[0]
