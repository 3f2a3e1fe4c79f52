"""Saving a run to a JSON file, and loading it by replaying its rounds."""

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
    """A file that could be read, and its content."""

    path: str
    content: dict

    @property
    def seed(self):
        """Seed of the run."""
        return self.content["seed"]

    def error(self, message):
        """Return an error about the file that carries its labels."""
        labels, rows = labels_in(self.content)
        text = f"The saved loop {self.path!r} {message}"
        if len(rows):
            text += (
                f" The {len(rows)} labels in the file are in the attributes `labels` "
                "and `indices` of this exception."
            )
        return SavedLoopError(text, labels=labels, indices=rows)

    @contextmanager
    def keeping_labels(self):
        """Attach the labels of the file to an error that is raised within."""
        try:
            yield
        except SavedLoopError:
            raise
        except Exception as error:
            error.labels, error.indices = labels_in(self.content)
            error.add_note(
                f"The saved loop {self.path!r} was being loaded. The "
                f"{len(error.labels)} labels in the file are in the attributes "
                "`labels` and `indices` of this exception."
            )
            raise


# Writing


def state_of(run):
    """Return the content of the file of a run.

    Parameters
    ----------
    run : Run
        The run, at any time.

    Returns
    -------
    content : dict
        Everything that `replay` needs except the inputs of the run.
    """
    # Models are not saved: they follow from the inputs and the answers, and a pickle
    # would tie the file to versions of other libraries.
    told, rounds = run.ledger.batches, list(run.rounds)
    if run.open is not None:
        rounds.append(run.open)
    begun = rounds if run.end is None else [*rounds, run.end]
    # Answers are saved with the round that had begun last when they came, although some
    # may belong to rows of earlier rounds: in this order they are replayed.
    cuts = [*(step.n_batches for step in begun), len(told)]
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


def _round_state(round_, told):
    """Return the content for a round, with the answers that came after its query."""
    drawn = round_.probabilities
    state = {
        "strategy": round_.selected_by,
        "rows": round_.rows.tolist(),
        "probabilities": None if drawn is None else drawn.tolist(),
        "told": told,
        "open": [],
    }
    if round_.pool is not None:  # it is open; a closed one has the times in its record
        return state | {
            "open": round_.rows_left.tolist(),
            "fit_seconds": round_.pool.models.fits.seconds,
            "select_seconds": round_.select_seconds,
            "oracle_seconds": round_.oracle_seconds,
        }
    record = round_.record or {}
    return state | {name: record[name] for name in _SECONDS if name in record}


def _batch_states(batches):
    return [_batch_state(batch) for batch in batches if batch]


def _batch_state(batch):
    rows, labels = zip(*batch, strict=True)
    return {"rows": list(rows), "labels": [_plain(label) for label in labels]}


def _plain(label):
    """Return a label as a bool, int, str or float of Python, or None."""
    if label is None:
        return None
    # A bool is an int, too, so it comes first.
    kind = next((k for k in (bool, int, str) if isinstance(label, k)), float)
    return kind(label)


def versions():
    """Return the versions of the libraries that decide which rows are queried."""
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
        The file. An existing file is replaced.

    content : dict
        The content, for JSON.
    """
    # A full disk, a crash or a loss of power must leave the old file or the new one.
    # So a draft in the same folder is written and synced, and replaces the file by one
    # rename, which is atomic within a file system.
    content = content | {"sha256": _checksum(content)}
    data = json.dumps(content, indent=1).encode("ascii")
    path = os.path.realpath(os.fspath(path))  # a link stays one, its target is replaced
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
    """Let the renaming survive a loss of power, where the system supports it."""
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
    """Read a file written by `write`, and check that it is complete.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    saved : Saved
        The file and its content.

    Raises
    ------
    SavedLoopError
        If it is not a saved loop, is damaged, or was written by a newer version.
    """
    path = os.fspath(path)
    with open(path, "rb") as file:
        data = file.read()
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise SavedLoopError(
            f"The file {path!r} is not a saved loop, or is damaged: {error}. Load a "
            "file that LabelingLoop.save has written."
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise SavedLoopError(
            f"The file {path!r} is JSON, but not a saved loop: its 'format' is not "
            f"{FORMAT!r}. Load a file that LabelingLoop.save has written."
        )
    saved = Saved(path, content)
    _check_version(saved)
    checksum = content.pop("sha256", None)
    if checksum != _checksum(content):
        raise saved.error(
            "is damaged, or was changed by hand: its checksum does not match its "
            "content. Load a copy of it, or start a new loop with these labels in y."
        )
    return saved


def _check_version(saved):
    version = saved.content.get("version")
    if version != VERSION:
        raise saved.error(
            f"has the version {version!r} of the format, but this release of skactive "
            f"reads the version {VERSION}. Load it with the release that wrote it, or "
            "with a newer one."
        )


def labels_in(content):
    """Return the labels in a file, and their rows.

    Parameters
    ----------
    content : dict
        The content of a file, which may be damaged.

    Returns
    -------
    labels : ndarray of shape (n_labels,)
        Labels. Empty if they cannot be read.

    rows : ndarray of shape (n_labels,), dtype int
        Row numbers.
    """
    # The file may be damaged anywhere. What can be read of it is worth having.
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
    """Replay the rounds of a file.

    Parameters
    ----------
    inputs : Inputs
        The inputs of the saved run, with any seed.

    saved : Saved
        The file.

    Returns
    -------
    run : Run
        A run in the state of the saved one.

    Raises
    ------
    SavedLoopError
        If the saved run had other inputs, or other rows are selected in the replay.
    """
    # Strategies and criteria may keep any state. Going through the rounds again
    # restores it without their help, and shows if other rows are selected here.
    content, run = saved.content, Run(inputs.with_seed(saved.seed))
    found = differences(content["made_of"], inputs.fingerprint)
    if found:
        raise saved.error(
            f"was made with other inputs: {'; '.join(found[:5])}. "
            f"{_changed_versions(saved)}Load it with the classifier, X and y that it "
            "was made with, or start a new loop with its labels in y."
        )
    for number, part in enumerate(content["rounds"], start=1):
        run.begin_round()
        _check_same(run, saved, number, part)
        run.open.restore(
            select_seconds=part["select_seconds"],
            oracle_seconds=part["oracle_seconds"],
            probabilities=part["probabilities"],
        )
        _tell(run, part["told"])
        if run.open is None:  # the times of today's fits are not those of the run
            run.history[-1] |= {name: part[name] for name in _SECONDS}
    end = content["end"]
    if end is not None:
        run.begin_round()
        if run.condition != end["condition"]:
            raise _other_way(
                saved, f"it ended by {end['condition']!r}, but now it {_what_now(run)}"
            )
        _tell(run, end["told"])
    return run


def _check_same(run, saved, number, part):
    """Raise unless a round has the rows that were saved."""
    opened = run.open
    if opened is None or opened.selected_by != part["strategy"]:
        raise _other_way(
            saved,
            f"in round {number} {part['strategy']!r} selected, but now the loop "
            + _what_now(run),
        )
    if opened.rows.tolist() != part["rows"]:
        raise _other_way(
            saved,
            f"in round {number} {part['strategy']!r} selected the rows "
            f"{part['rows'][:10]}, but now {opened.rows[:10].tolist()}",
        )


def _what_now(run):
    if run.open is None:
        return f"ends by {run.condition!r}"
    return f"goes on with {run.open.selected_by!r}"


def _tell(run, batches):
    for batch in batches:
        run.record(np.array(batch["rows"], dtype=np.intp), batch["labels"])


def _other_way(saved, what):
    why = _changed_versions(saved) or (
        "Perhaps the estimator draws at random: set random_state of the estimator to "
        "an int. "
    )
    return saved.error(
        f"cannot be replayed: {what}. {why}To go on, start a new loop with its labels "
        "in y."
    )


def _changed_versions(saved):
    """Return a sentence about the versions that differ, or an empty string."""
    there, here = saved.content["made_with"], versions()
    changed = [
        f"{name} was {there.get(name, 'not named')}, and is {version}"
        for name, version in here.items()
        if there.get(name) != version
    ]
    return f"Versions differ: {'; '.join(changed)}. " if changed else ""
