"""Processes: the name of this one, and whether a named process still lives.

The name of a process consists of its host, its number (pid) and its start time, because
numbers are used again, in particular after the computer was restarted.
"""

import json
import os
import socket
import sys
from functools import cache
from pathlib import Path

from skactive.oracles._store.damage import from_json

_PROC = Path("/proc")


def this_process():
    """Return the name of this process: JSON of its host, pid and start."""
    return _name(os.getpid())


def lives(process):
    """Return whether a process is known to live on this host.

    On Linux this is certain. On other systems with POSIX signals, the standard library
    does not tell the start time, so a process counts as alive while there is one with
    its number. On Windows, and for processes of other hosts, nothing is known.

    Parameters
    ----------
    process : str or None
        What :func:`this_process` returned in that process.

    Returns
    -------
    lives : bool
        False also if nothing is known.
    """
    try:
        host, pid, start = from_json(process)
    except (ValueError, TypeError):
        return False
    if host != _host() or type(pid) is not int or not 0 < pid < 2**31:
        return False
    if start is None:
        return _exists(pid)
    return start == _start(pid)


def describe(process):
    """Return the name of a process for messages."""
    try:
        host, pid, _ = from_json(process)
    except (ValueError, TypeError):
        return "an unknown process"
    return f"process {pid} on {host}"


@cache
def _name(pid):
    # Cached by number, so that a fork finds its own.
    return json.dumps([_host(), pid, _start(pid)])


def _host():
    return socket.gethostname()


def _start(pid):
    """Return when a process was started, None if it is dead or nothing is known."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        status = (_PROC / str(pid) / "stat").read_bytes()
    except OSError:
        return None
    # The second field, the name of the program in brackets, may hold anything.
    state, *fields = status.rpartition(b")")[2].split()
    # A zombie has ended; only its parent has not looked yet.
    return None if state in (b"Z", b"X") else f"{fields[18].decode()} {boot}"


def _exists(pid):
    if sys.platform == "win32":  # os.kill would end the process there
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True
