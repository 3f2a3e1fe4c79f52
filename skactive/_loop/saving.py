"""A run as a file: its rounds as JSON, and the way back by replay."""

import hashlib
import itertools
import json
import os
import platform
import secrets
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import numpy as np
import scipy
import sklearn

from skactive._loop.fingerprint import differences
from skactive._loop.run import Run
from skactive._version import __version__
from skactive.exceptions import SavedLoopError
from skactive.utils._labels import as_labels

FORMAT = "skactive.LabelingLoop"
VERSION = 1

_SECONDS = ("fit_seconds", "select_seconds", "oracle_seconds")


@dataclass(frozen=True)
class Saved:
    """The content of a file that can be read."""

    path: str
    content: dict

    @property
    def seed(self):
        """Seed of the run."""
        return self.content["seed"]

    def error(self, message):
        """Return an error that carries the labels of the file."""
        labels, rows = labels_in(self.content)
        text = f"The saved loop {self.path!r} {message}"
        if len(rows):
            text += (
                f" The {len(rows)} labels that stand in it are in `labels` and "
                "`indices` of this exception."
            )
        return SavedLoopError(text, labels=labels, indices=rows)

    @contextmanager
    def keeping_labels(self):
        """Attach the labels of the file to whatever is raised."""
        try:
            yield
        except SavedLoopError:
            raise
        except Exception as error:
            error.labels, error.indices = labels_in(self.content)
            error.add_note(
                f"The saved loop {self.path!r} was being loaded; the "
                f"{len(error.labels)} labels that stand in it are in `labels` and "
                "`indices` of this exception."
            )
            raise


# Writing


def state_of(run):
    """Return what is saved of a run, as JSON.

    Parameters
    ----------
    run : Run
        The run, at any time.

    Returns
    -------
    content : dict
        Everything that `replay` needs besides the inputs of the run.
    """
    told, rounds = run.ledger.told, list(run.rounds)
    if run.open is not None:
        rounds.append(run.open)
    begun = rounds if run.end is None else [*rounds, run.end]
    # Answers belong to the round that was queried last when they came.
    cuts = [*(step.n_told for step in begun), len(told)]
    batches = [_batch_states(told[slice(*cut)]) for cut in itertools.pairwise(cuts)]
    end = None
    if run.end is not None:
        end = {"condition": run.end.condition, "told": batches.pop()}
    return {
        "format": FORMAT,
        "version": VERSION,
        "made_with": versions(),
        "made_of": run.inputs.fingerprint,
        "seed": run.inputs.seed,
        "rounds": list(map(_round_state, rounds, batches)),
        "end": end,
    }


def _round_state(asked, told):
    """Return what is saved of a round, with the answers that came after its query."""
    drawn = None if asked.drawn is None else asked.drawn.tolist()
    state = {
        "strategy": asked.name,
        "rows": asked.rows.tolist(),
        "probabilities": drawn,
        "told": told,
        "open": [],
    }
    if asked.pool is not None:
        return state | {
            "open": asked.rows_left.tolist(),
            "fit_seconds": asked.pool.fit_seconds,
            "select_seconds": asked.select_seconds,
            "oracle_seconds": asked.oracle_seconds,
        }
    record = asked.record or {}
    return state | {name: record[name] for name in _SECONDS if name in record}


def _batch_states(batches):
    return [_batch_state(batch) for batch in batches if batch]


def _batch_state(batch):
    rows, labels = zip(*batch, strict=True)
    return {"rows": list(rows), "labels": [_plain(label) for label in labels]}


def _plain(label):
    """Return a label as one of the types that JSON tells apart."""
    if label is None:
        return None
    kind = next((k for k in (bool, int, str) if isinstance(label, k)), float)
    return kind(label)


def versions():
    """Return the versions of what decides on which rows are asked."""
    return {
        "skactive": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "scikit-learn": sklearn.__version__,
    }


def write(path, content):
    """Write a file as a whole or not at all.

    Parameters
    ----------
    path : str or path-like
        The file; an existing one is replaced.

    content : dict
        JSON.
    """
    content = content | {"sha256": _checksum(content)}
    data = json.dumps(content, indent=1).encode("ascii")
    path = os.path.realpath(os.fspath(path))  # a link stays a link
    folder, name = os.path.split(path)
    draft = os.path.join(folder, f".{name}.{secrets.token_hex(4)}.tmp")
    try:
        with open(draft, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(draft)
        raise
    _sync_folder(folder)


def _sync_folder(folder):
    """Make sure that a new name survives a loss of power, where systems can do it."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _checksum(content):
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


# Reading


def read(path):
    """Read a file that `write` has written, and check that it is whole.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    saved : Saved
        Its content.

    Raises
    ------
    SavedLoopError
        If it is of another kind, of a newer version, or damaged.
    """
    path = os.fspath(path)
    with open(path, "rb") as file:
        data = file.read()
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise SavedLoopError(
            f"The file {path!r} is no saved loop, or is damaged: {error}. Load a file "
            "that LabelingLoop.save has written."
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise SavedLoopError(
            f"The file {path!r} is JSON, but no saved loop: its 'format' is not "
            f"{FORMAT!r}. Load a file that LabelingLoop.save has written."
        )
    saved = Saved(path, content)
    _check_version(saved)
    checksum = content.pop("sha256", None)
    if checksum != _checksum(content):
        raise saved.error(
            "is damaged, or was changed by hand: its checksum does not fit its content."
            " Load a copy of it, or start a new loop with these labels in y."
        )
    return saved


def _check_version(saved):
    version = saved.content.get("version")
    if version != VERSION:
        raise saved.error(
            f"has the version {version!r} of the format, and this release of skactive "
            f"reads the version {VERSION}. Load it with the release that wrote it, or "
            "a newer one."
        )


def labels_in(content):
    """Return the labels that stand in a file, and their rows.

    Parameters
    ----------
    content : dict
        The content of a file, which may be damaged.

    Returns
    -------
    labels : ndarray of shape (n_labels,)
        Labels; empty if they cannot be read.

    rows : ndarray of shape (n_labels,), dtype int
        Row numbers.
    """
    try:
        parts = [*content["rounds"], content["end"] or {"told": []}]
        known = [
            (row, label)
            for part in parts
            for batch in part["told"]
            for row, label in zip(batch["rows"], batch["labels"], strict=True)
            if label is not None
        ]
        rows = np.array([row for row, _ in known], dtype=np.intp)
        return as_labels(np.array([label for _, label in known], dtype=object)), rows
    except (KeyError, TypeError, ValueError, OverflowError):
        return np.empty(0, dtype=object), np.empty(0, dtype=np.intp)


# Replaying


def replay(inputs, saved):
    """Bring a fresh run into the state that was saved.

    Parameters
    ----------
    inputs : Inputs
        The same inputs, whatever their seed.

    saved : Saved
        The content of the file.

    Returns
    -------
    run : Run
        It goes on as the saved one would have.

    Raises
    ------
    SavedLoopError
        If the run was made of other inputs, or queries other rows than were saved.
    """
    content, run = saved.content, Run(inputs.with_seed(saved.seed))
    found = differences(content["made_of"], inputs.fingerprint)
    if found:
        raise saved.error(
            f"was made of other inputs: {'; '.join(found[:5])}. "
            f"{_changed_versions(saved)}Load it with the classifier, X and y that it "
            "was made of, or start a new loop with its labels in y."
        )
    for number, part in enumerate(content["rounds"], start=1):
        run.begin_round()
        _check_same(run, saved, number, part)
        run.open.restore(
            select_seconds=part["select_seconds"],
            oracle_seconds=part["oracle_seconds"],
            drawn=part["probabilities"],
        )
        _tell(run, part["told"])
        if run.open is None:
            run.history[-1] |= {name: part[name] for name in _SECONDS}
    end = content["end"]
    if end is not None:
        run.begin_round()
        if run.condition != end["condition"]:
            raise _other_way(
                saved, f"it ended by {end['condition']!r}, and now it {_what_now(run)}"
            )
        _tell(run, end["told"])
    return run


def _check_same(run, saved, number, part):
    """Raise unless the same rows were selected in a round as were saved."""
    opened = run.open
    if opened is None or opened.name != part["strategy"]:
        raise _other_way(
            saved,
            f"in round {number} {part['strategy']!r} selected, and now the loop "
            + _what_now(run),
        )
    if opened.rows.tolist() != part["rows"]:
        raise _other_way(
            saved,
            f"in round {number} {part['strategy']!r} selected the rows "
            f"{part['rows'][:10]}, and now {opened.rows[:10].tolist()}",
        )


def _what_now(run):
    if run.open is None:
        return f"ends by {run.condition!r}"
    return f"goes on with {run.open.name!r}"


def _tell(run, batches):
    for batch in batches:
        run.record(np.array(batch["rows"], dtype=np.intp), batch["labels"])


def _other_way(saved, what):
    why = _changed_versions(saved) or (
        "Perhaps something is random that no seed governs: set random_state of the "
        "estimator to an int. "
    )
    return saved.error(
        f"cannot be replayed: {what}. {why}To go on, start a new loop with its labels "
        "in y."
    )


def _changed_versions(saved):
    """Return a sentence about the versions that differ, or an empty text."""
    there, here = saved.content["made_with"], versions()
    changed = [
        f"{name} was {there.get(name, 'not named')}, and is {version}"
        for name, version in here.items()
        if there.get(name) != version
    ]
    return f"Versions differ: {'; '.join(changed)}. " if changed else ""
