"""Leases: which worker has which rows, and until when."""

import math
import threading
import time
from itertools import islice
from numbers import Integral, Real
from typing import NamedTuple

from skactive.utils._shown import shown


class _Lease(NamedTuple):
    worker: str
    seconds: float
    expires: float


class Leases:
    """Rows that are leased to workers, so that no two of them label the same row.

    A worker has a row until it is released or the lease expires; asking again and
    :meth:`renew` prolong all leases of the worker. A lease that has expired stays with
    its worker until another worker takes the row, so a worker who comes back late can
    continue.

    Leases only decide who gets which rows. Whether a late answer is taken does not
    depend on them. They are kept in memory; a restart ends all of them.
    All methods may be called from several threads.

    Parameters
    ----------
    seconds : float, default=600.0
        Number of seconds that a lease lasts.

    clock : callable, default=time.monotonic
        Returns the time in seconds, which must not decrease.

    Examples
    --------
    >>> from skactive.oracles._leases import Leases
    >>> leases = Leases(seconds=60)
    >>> leases.lease(["a", "b", "c"], 2, "Ann")
    ['a', 'b']
    >>> leases.lease(["a", "b", "c"], 2, "Bob")
    ['c']
    >>> leases.release(["a"])
    >>> leases.held()
    {'b': 'Ann', 'c': 'Bob'}
    """

    def __init__(self, seconds=600.0, *, clock=time.monotonic):
        self._seconds = _check_seconds(seconds)
        self._clock = clock
        self._leases = {}
        self._lock = threading.Lock()

    def __reduce__(self):
        # A copy has no leases: its clock may be that of another process.
        return type(self), (self._seconds,)

    def lease(self, keys, n, worker, *, seconds=None):
        """Lease rows to a worker.

        Parameters
        ----------
        keys : iterable of hashable
            The rows that are open, in the order in which they are handed out.

        n : int or None
            The largest number of rows; all if None.

        worker : str
            Name of the worker.

        seconds : float or None, default=None
            Number of seconds that all leases of the worker last from now on. If None,
            the `seconds` of this object.

        Returns
        -------
        leased : list
            At most `n` of the keys: first those that the worker has already, then free
            ones. Empty if others have all of them.
        """
        check_name(worker)
        _check_n(n)
        seconds = self._seconds if seconds is None else _check_seconds(seconds)
        keys = dict.fromkeys(keys)
        n = len(keys) if n is None else min(n, len(keys))
        with self._lock:
            now = self._clock()
            self._renew(worker, now, seconds)
            mine = [key for key in keys if self._is_of(key, worker)]
            free = (key for key in keys if self._is_free(key, now))
            leased = list(islice((*mine, *free), n))
            for key in leased:
                self._leases[key] = _Lease(worker, seconds, now + seconds)
        return leased

    def renew(self, worker):
        """Start all leases of a worker anew, each with its own number of seconds."""
        check_name(worker)
        with self._lock:
            self._renew(worker, self._clock())

    def release(self, keys):
        """End the leases of rows, whoever has them; rows without one are ignored."""
        with self._lock:
            for key in keys:
                self._leases.pop(key, None)

    def holder(self, key):
        """Return the worker who has a row, or None."""
        with self._lock:
            free = self._is_free(key, self._clock())
            return None if free else self._leases[key].worker

    def held(self):
        """Return the worker of each leased row, by key."""
        with self._lock:
            now = self._clock()
            return {
                key: lease.worker
                for key, lease in self._leases.items()
                if lease.expires > now
            }

    def _renew(self, worker, now, seconds=None):
        for key in self._keys_of(worker):
            lasts = self._leases[key].seconds if seconds is None else seconds
            self._leases[key] = _Lease(worker, lasts, now + lasts)

    def _keys_of(self, worker):
        return [key for key, lease in self._leases.items() if lease.worker == worker]

    def _is_of(self, key, worker):
        lease = self._leases.get(key)
        return lease is not None and lease.worker == worker

    def _is_free(self, key, now):
        lease = self._leases.get(key)
        return lease is None or lease.expires <= now


def check_name(name, what="worker"):
    """Raise unless this is a name that can be written to a file."""
    if not isinstance(name, str):
        raise TypeError(
            f"The {what} must be a str, the name of a person or program, got "
            f"{shown(name)}."
        )
    if not name.strip():
        raise ValueError(f"The {what} must be a name, got {name!r}.")
    try:
        name.encode()
    except UnicodeEncodeError as error:  # a surrogate, which JSON may hold
        raise ValueError(
            f"The {what} must be a name that UTF-8 can encode, got {name!r}."
        ) from error


def _check_n(n):
    if n is None:
        return
    if not isinstance(n, Integral) or isinstance(n, bool):
        raise TypeError(
            f"The number of rows to lease must be an int or None, got {shown(n)}."
        )
    if n < 1:
        raise ValueError(f"The number of rows to lease must be at least 1, got {n}.")


def _check_seconds(seconds):
    if not isinstance(seconds, Real) or isinstance(seconds, bool):
        raise TypeError(
            f"The seconds of a lease must be a number, got {shown(seconds)}."
        )
    if not (seconds > 0 and math.isfinite(seconds)):
        raise ValueError(
            f"The seconds of a lease must be positive and finite, got {seconds}."
        )
    return float(seconds)
