#!/usr/bin/env bash
# skops saves a deque as an empty one, and two keys of a dictionary as one.
#
# Guess:    an object that skops.io.dumps accepts comes back with the same content, or
#           loads raises an error.
# Happens:  a deque comes back empty, alone and within another object, and of the keys
#           0 and "0" only the first remains, with the value of the second. There is no
#           warning; set, frozenset and OrderedDict come back whole.
# Versions: skops 0.16.0, scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1; Python 3.11.
#
# Seen on 2026-11-29:
#   {1, 2} -> {1, 2}
#   frozenset({1, 2}) -> frozenset({1, 2})
#   OrderedDict([(1, 2)]) -> OrderedDict([(1, 2)])
#   deque([1, 2]) -> deque([])
#   {'window': deque([1, 2], maxlen=2)} -> {'window': deque([])}
#   {0: 'number', '0': 'text'} -> {0: 'text'}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    'skops==0.16.0' \
    'scikit-learn==1.9.1' \
    'numpy==2.4.6' \
    'scipy==1.17.1'
"$folder/venv/bin/python" - <<'PY'
import platform
from importlib.metadata import version

print("Python", platform.python_version())
for name in ["skops", "scikit-learn", "numpy", "scipy"]:
    print(name, version(name))

import warnings
from collections import OrderedDict, deque

from skops.io import dumps, get_untrusted_types, loads

warnings.simplefilter("error")
whole = [{1, 2}, frozenset([1, 2]), OrderedDict([(1, 2)])]
changed = [
    (deque([1, 2]), deque()),
    ({"window": deque([1, 2], maxlen=2)}, {"window": deque()}),
    ({0: "number", "0": "text"}, {0: "text"}),
]
for value, expected in [(value, value) for value in whole] + changed:
    data = dumps(value)
    back = loads(data, trusted=get_untrusted_types(data=data))
    print(f"{value} -> {back}")
    assert back == expected
PY
