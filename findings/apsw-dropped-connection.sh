#!/usr/bin/env bash
# A connection of sqlite3 that nobody holds any more stays open; one of apsw does not.
#
# Guess:    when the last reference to a connection is gone, its file is closed.
# Happens:  with apsw it is. A connection of Python's sqlite3 is in a cycle of
#           references with its cache of statements, and its file stays open until the
#           garbage collector runs. Whoever opens and closes the file itself in the
#           meantime drops the locks that SQLite believes to have.
# Versions: sqlite3 of Python 3.11 with SQLite 3.40.1; apsw 3.54.1.0.
#
# Seen on 2026-11-29:
#   open after the last reference is gone: {'sqlite3': True, 'apsw': False}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    'apsw==3.54.1.0'
"$folder/venv/bin/python" - <<'PY'
import platform
from importlib.metadata import version

print("Python", platform.python_version())
for name in ["apsw"]:
    print(name, version(name))

import gc
import os
import sqlite3
import tempfile

import apsw

print("SQLite of sqlite3", sqlite3.sqlite_version)


def is_open(path):
    files = (f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd"))
    return any(os.path.exists(f) and os.path.samefile(f, path) for f in files)


gc.disable()
left_open = {}
for module in (sqlite3, apsw):
    connect = getattr(module, "Connection")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "data.sqlite")
        connection = connect(path)
        connection.cursor().execute("CREATE TABLE t (x)")
        assert is_open(path)
        del connection
        left_open[module.__name__] = is_open(path)
        gc.collect()
        assert not is_open(path)
print("open after the last reference is gone:", left_open)
assert left_open == {"sqlite3": True, "apsw": False}
PY
