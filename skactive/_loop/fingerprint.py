"""What a run was made of, in a form that can be compared after it was saved."""

import numpy as np

from skactive.utils._description import (
    describe_parameters,
    hash_parameter,
    hash_rows,
    hash_values,
)
from skactive.utils._labels import as_labels

_DATA = {
    "X": "the values of X are others",
    "y": "the labels in y are others, or stand in other rows",
    "sample_ids": "sample_ids are others",
    "cost": "cost is another",
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
        JSON. Data are hashed, which reads them once; parameters stay readable.
    """
    rows = np.flatnonzero(inputs.labeled)
    labels, ids = as_labels(inputs.y[rows]), inputs.sample_ids
    return {
        "n_samples": len(inputs.y),
        "n_labeled": len(rows),
        "budget": inputs.budget,
        "X": hash_rows(inputs.X),
        "y": hash_values(rows, labels.tolist()),
        "sample_ids": None if ids is None else hash_values(ids.tolist()),
        "cost": None if inputs.cost is None else hash_values(inputs.cost),
        "fit_params": {
            name: hash_parameter(value) for name, value in inputs.fit_params.items()
        },
        "parameters": describe_parameters(inputs.clf),
    }


def differences(saved, here):
    """Say how two fingerprints differ.

    Parameters
    ----------
    saved, here : dict
        What `fingerprint` returned, there and here.

    Returns
    -------
    found : list of str
        One text for each difference; empty if there is none.
    """
    found = []
    if saved["n_samples"] != here["n_samples"]:
        found.append(f"X had {saved['n_samples']} rows, and has {here['n_samples']}")
    else:
        if saved["n_labeled"] != here["n_labeled"]:
            counts = f"{saved['n_labeled']} labels, and has {here['n_labeled']}"
            found.append(f"y had {counts}")
        found += [text for name, text in _DATA.items() if saved[name] != here[name]]
    names = saved["fit_params"].keys() | here["fit_params"].keys()
    found += [
        f"the fit parameter {name} is another"
        for name in sorted(names)
        if saved["fit_params"].get(name) != here["fit_params"].get(name)
    ]
    there, now = saved["parameters"], here["parameters"]
    # A name that only one side has came or went with a release of its class.
    found += [
        f"{name} was {there[name]}, and is {now[name]}"
        for name in sorted(there.keys() & now.keys())
        if there[name] != now[name]
    ]
    if not found and saved["budget"] != here["budget"]:
        found.append(f"budget was {saved['budget']} rows, and is {here['budget']}")
    return found
