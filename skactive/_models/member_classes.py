"""The positions of the classes of members among those of their ensemble."""

import numpy as np
from sklearn.ensemble import AdaBoostClassifier


def positions_of_members(ensemble, members):
    """Return the positions of the classes of each member among those of the ensemble.

    Some members name the classes of the ensemble, others their numbers 0, 1, ... Which
    of both is read from their `classes_`. Where these could be either, it is known for
    the ensembles of scikit-learn; for others, the rest of the members decide.

    Parameters
    ----------
    ensemble : estimator object
        A fitted ensemble.

    members : list of estimator objects
        Its members.

    Returns
    -------
    positions : list of ndarray of int
        For each member, one position for each of its `classes_`.

    Raises
    ------
    ValueError
        If `classes_` of a member cannot be read, or in two ways that differ.
    """
    readings = [_readings(ensemble, number, m) for number, m in enumerate(members)]
    decided = {way for reading in readings if len(reading) == 1 for way in reading}
    known = _way_of_speaking(ensemble)
    if known is None and len(decided) == 1:
        (known,) = decided
    for number, reading in enumerate(readings):
        if known is None and len({*reading.values()}) > 1:
            raise ValueError(
                f"Member {number} of {type(ensemble).__name__} predicts the classes "
                f"{_listed(members[number].classes_)}, and of "
                f"{_listed(ensemble.classes_)} these could be the classes themselves "
                "or their numbers 0, 1, ... Use labels 0, 1, ..., which are their own "
                "numbers, or set `committee`, for instance committee=10."
            )
    found = [reading.get(known) or next(iter(reading.values())) for reading in readings]
    return [np.array(positions, dtype=np.intp) for positions in found]


def predicted_positions(member, predicted):
    """Return predicted classes of a member as positions in its `classes_`."""
    classes, predicted = np.asarray(member.classes_), np.asarray(predicted)
    if (classes.dtype.kind in "UO") == (predicted.dtype.kind in "UO"):
        order = np.argsort(classes)
        found = np.searchsorted(classes, predicted, sorter=order)
        found = order[np.minimum(found, len(classes) - 1)]
        if (classes[found] == predicted).all():
            return found
    raise ValueError(
        f"{type(member).__name__}.predict, of a member of an ensemble, returned "
        f"{_listed(np.unique(predicted))}, and its classes_ are {_listed(classes)}."
    )


def _readings(ensemble, number, member):
    """Return the possible meanings of `classes_` of a member: {way: positions}."""
    classes = np.asarray(ensemble.classes_).tolist()
    if not hasattr(member, "classes_"):
        raise ValueError(
            f"Member {number} of {type(ensemble).__name__}, a {type(member).__name__}, "
            "has no classes_, so it is not known what its predictions mean. Set "
            "`committee`, for instance committee=10."
        )
    said, where = np.asarray(member.classes_).tolist(), {}
    where["names"] = {name: position for position, name in enumerate(classes)}
    where["numbers"] = {position: position for position in range(len(classes))}
    found = {
        way: tuple(map(positions.get, said))
        for way, positions in where.items()
        if all(name in positions for name in said)
    }
    if not found:
        raise ValueError(
            f"Member {number} of {type(ensemble).__name__} predicts the classes "
            f"{_listed(said)}, which are neither among {_listed(classes)} nor their "
            "numbers 0, 1, ... Set `committee`, for instance committee=10."
        )
    return found


def _way_of_speaking(ensemble):
    """Return the way in which members of scikit-learn's ensembles name classes."""
    if type(ensemble).fit.__module__.partition(".")[0] != "sklearn":
        return None
    is_prefit = getattr(ensemble, "cv", None) == "prefit"
    names = is_prefit or isinstance(ensemble, AdaBoostClassifier)
    return "names" if names else "numbers"


def _listed(classes):
    """Return the first few classes as text."""
    classes = np.asarray(classes).tolist()
    return f"{classes[:5]}{' and more' if len(classes) > 5 else ''}"
