"""Hold claims in a label store while an oracle works, and wait for those of others."""

import _thread  # noqa: PLC2701 (a documented module, in spite of its name)
import threading
import time
import uuid
from contextlib import closing, suppress

from skactive.exceptions import StoreError
from skactive.utils._warning import warn_caller

# Rows that others are asking about are checked again after this many seconds at most.
_MAX_WAIT = 0.5
# After this many seconds of waiting, a warning says what for.
_PATIENCE = 5.0
# Number of tries to give up a claim while the file cannot be written to.
_MAX_TRIES = 100


class Holding:
    """A claim on the rows that an oracle works on.

    It is renewed in the background as long as the oracle works. So claims can be short:
    they end soon after their process has died, but not while an oracle is slow.

    The answers of an iterator are fetched one by one, and the caller may never fetch
    the next one. Between two answers nobody works on the rows. They are given up if no
    answer is fetched for as long as a claim is valid.

    Parameters
    ----------
    store : LabelStore
        The store.

    claim : Claim
        The claim.

    seconds : float
        Number of seconds that a claim is valid.
    """

    def __init__(self, store, claim, seconds):
        self._store = store
        self._claim = claim
        self._seconds = seconds
        self._unasked = []
        self._idle_since = None
        self._n_tries = 0
        self._parting = None  # arguments of the release, once there is one
        self._lock = threading.Lock()
        self._is_released = threading.Event()
        # Thread.start waits until the thread runs, and would do so in every batch.
        _thread.start_new_thread(self._beat, ())

    def pause(self, unasked):
        """Note that the oracle is not working, and which rows it has not begun.

        Parameters
        ----------
        unasked : list of str
            Keys of the rows that the oracle may come to later.
        """
        with self._lock:
            self._unasked, self._idle_since = unasked, time.monotonic()

    def resume(self, unasked):
        """Note that the oracle works again.

        Parameters
        ----------
        unasked : list of str
            Keys of the rows that it may come to later.

        Returns
        -------
        is_held : bool
            Whether the rows are still claimed.
        """
        with self._lock:
            if self._parting is None:
                self._unasked, self._idle_since = unasked, None
            return self._parting is None

    def end(self, *, refund_all=False, failure=None):
        """Give up what is left of the claim.

        Parameters
        ----------
        refund_all : bool, default=False
            Whether all rows without an answer are refunded. If False, only those that
            the oracle has not begun.

        failure : str or None, default=None
            What went wrong with the oracle.

        Raises
        ------
        StoreError
            If the file cannot be written to. There are more tries in the background.
        """
        with self._lock:
            refund = self._claim.mine if refund_all else self._unasked
            self._release(self._store, refund=refund, failure=failure)

    def _release(self, store, **how):
        self._parting = how
        store.release(self._claim, **how)
        self._is_released.set()

    def _beat(self):
        # Three times in its duration, so one renewal may fail or be late.
        while not self._is_released.wait(self._seconds / 3):
            # An error may make others wait, or ask about a row twice. It must not end
            # the run, and the next beat may succeed.
            with suppress(StoreError), self._lock:
                if self._parting is not None:
                    self._try_again()
                elif self._is_forgotten():
                    self._release(self._store, refund=self._unasked)
                else:
                    self._store.renew(self._claim.owner)

    def _try_again(self):
        self._n_tries += 1
        if self._n_tries > _MAX_TRIES:
            self._is_released.set()  # the claim ends with this process
        elif not self._is_released.is_set():
            # The connection may be closed or broken.
            old, how = self._store, {"create": False, "timeout": self._store.timeout}
            with closing(type(old)(old.path, **how)) as store:
                self._release(store, **self._parting)

    def _is_forgotten(self):
        idle = self._idle_since
        return idle is not None and time.monotonic() - idle > self._seconds


class Patience:
    """Waits for rows that others are asking about, and warns about it once.

    Parameters
    ----------
    path : pathlib.Path
        The store.

    task : str
        The question.
    """

    def __init__(self, path, task):
        self._path, self._task = path, task
        self._pause = 0.01
        self._since = time.monotonic()
        self._has_said = False

    def wait(self, others):
        """Wait for a moment, longer each time.

        Parameters
        ----------
        others : dict
            A `Holder` for each row that somebody else is asking about, by key.
        """
        if not self._has_said and time.monotonic() - self._since >= _PATIENCE:
            self._has_said = True
            self._say(others)
        time.sleep(self._pause)
        self._pause = min(2 * self._pause, _MAX_WAIT)

    def _say(self, others):
        keys = list(others)
        shown = ", ".join(keys[:5]) + (", ..." if len(keys) > 5 else "")
        who = {
            f"{claim_title(holder.owner)} ({holder.process})"
            for holder in others.values()
        }
        warn_caller(
            f"Waiting for the answers to {len(keys)} rows that are being asked about "
            f"through the label store {self._path}, task {self._task!r}: sample_ids "
            f"{shown}; claimed by {'; '.join(sorted(who))}. If that process hangs, end "
            "it, and its rows are asked about here. If it is this one, it holds an "
            "iterator of answers: exhaust it, or close() it."
        )


def claim_name(annotator):
    """Return a name for a new claim: who asks, since when, and a random part."""
    return f"{annotator} since {time.strftime('%Y-%m-%d %H:%M:%S')}#{uuid.uuid4().hex}"


def claim_title(name):
    """Return the name of a claim without its random part."""
    return name.rpartition("#")[0] or name
