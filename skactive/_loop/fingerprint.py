"""Fingerprints of the inputs of a run, to compare them when it is loaded."""

import platform

import numpy as np
import scipy
import sklearn

from skactive._version import __version__
from skactive.utils._description import (
    describe_parameters,
    hash_parameter,
    hash_rows,
    hash_values,
)
from skactive.utils._labels import as_labels

_DATA = {
    "X": "the values of X differ",
    "y": "the labels in y, or the rows that have them, differ",
    "sample_ids": "sample_ids differ",
    "cost": "cost differs",
}


def fingerprint(inputs):
    """Describe the data and the parameters of a run.

    Parameters
    ----------
    inputs : Inputs
        The checked inputs.

    Returns
    -------
    description : dict
        Hashes of the data, and parameters as readable text, for JSON.
    """
    # With other data a replay would select other rows, or, worse, give the labels to
    # rows that were never shown. Parameters are not hashed, so that an error can say
    # which of them differ.
    rows = np.flatnonzero(inputs.labeled)
    labels, ids = as_labels(inputs.y[rows]), inputs.sample_ids
    return {
        "n_samples": len(inputs.y),
        "n_labeled": len(rows),
        "budget": inputs.budget,
        "X": hash_rows(inputs.X),
        "container": _container(inputs.X),
        "y": hash_values(rows, labels.tolist()),
        "sample_ids": None if ids is None else hash_values(ids.tolist()),
        "cost": None if inputs.cost is None else hash_values(inputs.cost),
        "fit_params": {
            name: hash_parameter(value) for name, value in inputs.fit_params.items()
        },
        "parameters": describe_parameters(inputs.clf),
    }


def _container(X):
    """Return the type and dtype of the container of the rows, in words."""
    dtype = getattr(X, "dtype", None)
    name = type(X).__name__
    return name if dtype is None else f"{name} of {dtype}"


def versions():
    """Return the versions of the libraries that decide which rows are queried."""
    return {
        "skactive": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "scikit-learn": sklearn.__version__,
    }


def differences(saved, here):
    """Describe how two fingerprints differ.

    Parameters
    ----------
    saved, here : dict
        The fingerprint in the file, and that of the inputs given now.

    Returns
    -------
    found : list of str
        One text for each difference.
    """
    found = []
    if saved["n_samples"] != here["n_samples"]:
        found.append(f"X had {saved['n_samples']} rows, and has {here['n_samples']}")
    else:
        if saved["n_labeled"] != here["n_labeled"]:
            counts = f"{saved['n_labeled']} labels, and has {here['n_labeled']}"
            found.append(f"y had {counts}")
        found += [text for name, text in _DATA.items() if saved[name] != here[name]]
    # Rows in another container, or of another dtype, have another hash.
    was, now = saved.get("container"), here["container"]
    if found and None not in (was, now) and was != now:
        found.insert(0, f"X was {was}, and is {now}")
    names = saved["fit_params"].keys() | here["fit_params"].keys()
    found += [
        f"the fit parameter {name} differs"
        for name in sorted(names)
        if saved["fit_params"].get(name) != here["fit_params"].get(name)
    ]
    there, now = saved["parameters"], here["parameters"]
    # A parameter that only one side has was added or removed in a release of its class.
    found += [
        f"{name} was {there[name]}, and is {now[name]}"
        for name in sorted(there.keys() & now.keys())
        if there[name] != now[name]
    ]
    # The budget in rows follows from the parameters and the number of unlabelled rows.
    # It is named only if nothing else explains the difference.
    if not found and saved["budget"] != here["budget"]:
        found.append(f"budget was {saved['budget']} rows, and is {here['budget']}")
    return found
