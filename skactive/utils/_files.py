"""Files that survive a loss of power."""

import os
from contextlib import suppress


def sync_folder(folder):
    """Let new and renamed files of a folder survive a loss of power.

    Parameters
    ----------
    folder : str or path-like
        The folder. Nothing happens where the system cannot do it, as on Windows.
    """
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
