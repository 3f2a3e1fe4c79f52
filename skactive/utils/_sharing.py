"""Rows that worker processes read from a file, so that they are not sent every time."""

import os
import shutil
import tempfile
import weakref

import numpy as np
from joblib import dump, effective_n_jobs, load
from joblib.parallel import get_active_backend
from scipy.sparse import issparse

# Data smaller than this are sent with the task: a file would cost more.
_MIN_BYTES = 2**20


def uses_processes(n_jobs):
    """Tell whether joblib would now send tasks to other processes on this machine."""
    if effective_n_jobs(n_jobs) == 1:
        return False
    backend, _ = get_active_backend()
    return type(backend).__name__ in ("LokyBackend", "MultiprocessingBackend")


class SharedRows:
    """Keeps data in memory-mapped files that live as long as this object.

    joblib sends a worker the name of the file instead of the data.
    """

    def __init__(self):
        self._folder = None
        self._kept = {}

    def share(self, X, name):
        """Return `X`, read-only and backed by a file, if possible and worth it.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, list}
            Rows; only ndarrays and CSR are shared.

        name : str
            Name of the file. New rows of the same name replace the old ones.

        Returns
        -------
        X : {array-like, sparse matrix, data frame, list}
            Equal rows.
        """
        # The source is kept and compared by identity: an id could be reused, and a
        # comparison of values would read all of them.
        source, shared = self._kept.get(name, (None, None))
        if source is not X:
            shared = self._share(X, name)
            self._kept[name] = (X, shared)
        return shared

    def _share(self, X, name):
        if issparse(X) and X.format == "csr":
            parts = [
                self._share_array(part, f"{name}-{i}")
                for i, part in enumerate((X.data, X.indices, X.indptr))
            ]
            shared = type(X)(X.shape, dtype=X.dtype)
            # The constructor would make plain arrays of them, which joblib would send.
            shared.data, shared.indices, shared.indptr = parts
            return shared
        return self._share_array(X, name) if isinstance(X, np.ndarray) else X

    def _share_array(self, array, name):
        small = array.nbytes < _MIN_BYTES or array.dtype.hasobject
        if small or isinstance(array, np.memmap):
            return array
        if self._folder is None:
            parent = os.environ.get("JOBLIB_TEMP_FOLDER")
            self._folder = tempfile.mkdtemp(prefix="skactive_", dir=parent)
            # Also runs at exit, unlike __del__, if the object is in a cycle.
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        path = os.path.join(self._folder, name)
        if os.path.exists(path):
            os.unlink(path)  # workers that still map it keep their pages
        try:
            dump(array, path)
        except OSError as error:  # most likely a full disk: free what was written
            os.unlink(path)
            error.add_note(
                f"Rows for worker processes could not be written to {self._folder}. "
                "Let JOBLIB_TEMP_FOLDER name a folder with more space, or use n_jobs=1."
            )
            raise
        return load(path, mmap_mode="r")
