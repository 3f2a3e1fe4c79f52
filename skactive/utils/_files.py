"""Make files survive a loss of power."""

import os
from contextlib import suppress


def sync_folder(folder):
    """Sync a folder, so that its new and renamed files survive a loss of power.

    Parameters
    ----------
    folder : str or path-like
        The folder. Nothing is done on systems that cannot sync it, such as Windows.
    """
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
