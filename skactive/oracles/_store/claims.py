"""The table of claims: who is asking about which rows, and until when.

A claim ends by itself after `seconds` unless its owner renews it. So if a process dies,
others ask about its rows. If the process is known to live on this host, the claim does
not end: it may not have been renewed in time because the process was suspended or the
file was locked, and the rows must not be paid for twice. In these functions `run`
executes SQL within a transaction.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from skactive.oracles._store.damage import damaged, is_time
from skactive.oracles._store.processes import describe, lives, this_process

# Claims of this process that could not be dropped when they were given up, by owner.
_given_up = set()


@dataclass(frozen=True)
class Holder:
    """Who is asking about a row that a caller has to wait for.

    Attributes
    ----------
    owner : str
        Name of the claim.

    process : str
        The process that claimed the row, for messages, or "an unknown process".

    since : float
        When the claim was made or last renewed, in seconds since 1970.

    expires_at : float
        When it ends by itself, in seconds since 1970.

    lives : bool
        Whether the process is known to live on this host. Then the claim does not end
        at `expires_at`, but when it is answered or given up, or its process ends.
    """

    owner: str
    process: str
    since: float
    expires_at: float
    lives: bool

    def __str__(self):
        since = datetime.fromtimestamp(self.since, UTC)
        return f"{self.process}, since {since:%Y-%m-%d %H:%M:%S} UTC"


@dataclass(frozen=True)
class Claim:
    """The rows that a caller may ask about now, and what is known about the others.

    Attributes
    ----------
    owner : str
        Name of the claim.

    answers : dict
        Labels that are known, by key.

    mine : list of str
        Keys of the rows that the caller is to ask about now.

    others : dict
        A :class:`Holder` for each row that somebody else is asking about, by key.

    limit : str or None
        The limit that excludes the other rows, None if there is none.

    cost : dict
        The price that was charged for each row of `mine`.
    """

    owner: str
    answers: dict
    mine: list
    others: dict
    limit: str | None
    cost: dict


def claimed_by_others(run, task, keys, owner):
    """Return a :class:`Holder` for each row that somebody else asks about, by key."""
    rows = run(
        "SELECT sample_id, owner, seconds, expires_at, process "
        "FROM json_each(?) AS wanted "
        "CROSS JOIN claims ON task = ? AND sample_id = wanted.value "
        "WHERE owner != ?",
        (json.dumps(keys), task, owner),
    )
    return {key: holder for key, *claim in rows if (holder := _holder(run, *claim))}


def _holder(run, owner, seconds, ends, process):
    """Return the holder of a claim, None if it has ended."""
    if not is_time(ends) or not is_time(seconds):
        raise damaged(run.path, f"the claim {owner!r} ends at {ends!r}")
    # A claim that ends too far in the future was made before the clock was put
    # back. If its owner lives, it is renewed soon; otherwise it may be taken over.
    in_time = run.now < ends <= run.now + 2 * seconds
    alive = lives(process)
    if not in_time and not alive:
        return None
    return Holder(owner, describe(process), max(ends - seconds, 0), ends, alive)


def add_claims(run, task, keys, owner, seconds):
    """Claim rows; a claim of somebody else that has ended gives way."""
    ends, process = run.now + seconds, this_process()
    run.many(
        "INSERT OR REPLACE INTO claims VALUES (?, ?, ?, ?, ?, ?)",
        [(task, key, owner, seconds, ends, process) for key in keys],
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


def give_up(owner):
    """Remember claims that their owner could not drop."""
    _given_up.add(owner)


def drop_given_up(run):
    """Drop the claims of this process that could not be dropped before.

    They would not end by themselves, because the process lives.
    """
    for owner in list(_given_up):
        drop_claims_of_owner(run, owner)


def drop_claims_of_rows(run, task, keys):
    """Drop the claims of rows, whoever owns them: they have an answer."""
    run.many(
        "DELETE FROM claims WHERE task = ? AND sample_id = ?",
        [(task, key) for key in keys],
    )


def drop_expired_claims(run):
    """Drop the claims that were not renewed in time, also of processes that live.

    A user asks for it: the owner may live and have forgotten them.
    """
    run("DELETE FROM claims WHERE expires_at < ?", (run.now,))


def count_claims(run):
    """Return the number of rows that are being asked about."""
    rows = run("SELECT owner, seconds, expires_at, process FROM claims")
    return sum(_holder(run, *claim) is not None for claim in rows)
