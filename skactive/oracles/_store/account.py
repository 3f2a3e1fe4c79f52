"""The account: what was paid through the file, its limits, and the circuit breaker.

In these functions `run` executes SQL within a transaction.
"""

import math

from skactive.exceptions import OracleError
from skactive.oracles._store.damage import damaged

# Sums of prices differ by rounding.
_ROUNDING = 1e-12


def read_account(run):
    """Return the entries of the account; those that are missing are zero or None."""
    found = dict(run("SELECT name, value FROM account").fetchall())
    account = {"n_calls": 0, "n_asked": 0, "cost": 0, "breaker": None} | found
    for name in ("n_calls", "n_asked", "cost"):
        amount = account[name]
        # A refund may leave a little less than nothing.
        if not isinstance(amount, (int, float)) or not -1e-6 < amount < math.inf:
            raise damaged(run.path, f"{name} in the account is {amount!r}")
    return account


def charge(run, **amounts):
    """Add to `n_calls`, `n_asked` or `cost`; negative amounts are a refund."""
    for name, amount in amounts.items():
        run(
            "INSERT INTO account VALUES (?1, ?2) "
            "ON CONFLICT (name) DO UPDATE SET value = value + ?2",
            (name, amount),
        )


def within_limits(run, keys, prices, max_calls, max_cost):
    """Return the rows that may be paid for, and the limit that excludes the others.

    Parameters
    ----------
    run : callable
        Executes SQL.

    keys : list of str
        Keys of the rows, in the order in which they are paid for.

    prices : dict
        Price of each row, by key.

    max_calls, max_cost : float or None
        What may be spent through this file.

    Returns
    -------
    keys : list of str
        The first rows that do not exceed the limits.

    limit : str or None
        The limit, for a message; None if all rows may be paid for.
    """
    account = read_account(run)
    if max_calls is not None and account["n_calls"] >= max_calls:
        return [], f"max_calls={max_calls} is reached"
    if max_cost is None:
        return keys, None
    total = account["cost"]
    for n_rows, key in enumerate(keys):
        total += prices[key]
        if total > max_cost * (1 + _ROUNDING):
            return keys[:n_rows], f"max_cost={max_cost} is reached"
    return keys, None


def open_breaker(run, failure):
    """Let nobody pay through the file any more, because of a failure."""
    run("INSERT OR REPLACE INTO account VALUES ('breaker', ?)", (failure,))


def close_breaker(run):
    """Allow payments again."""
    run("DELETE FROM account WHERE name = 'breaker'")


def raise_if_broken(run, path):
    """Raise if the circuit breaker is open."""
    failure = read_account(run)["breaker"]
    if failure is not None:
        raise OracleError(
            f"The label store {path} pays for no more answers since a failure "
            f"({failure}). Nothing was asked. When its cause is removed, call "
            f"reset() of the CachedOracle, or run: python -m skactive.oracles {path} "
            "--reset"
        )


def read_salt(run):
    """Return the random text that this file and its copies have."""
    return read_account(run).get("salt")


def count_write(run):
    """Count a transaction. So each of them writes the page of the account."""
    charge(run, n_writes=1)
