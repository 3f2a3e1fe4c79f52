"""The log of a run: what has happened, entry by entry."""

import time


class Log:
    """A list of what has happened in a run, to be written to a file.

    Parameters
    ----------
    inputs : Inputs
        The checked inputs of the run.

    Attributes
    ----------
    entries : list of dict
        `skactive/_loop/entries.py` lists their kinds and fields.

    who : str or None
        Who answers, if nothing else is said.

    is_replayed : bool
        Whether entries of a file are being replayed; no entries are added then.
    """

    def __init__(self, inputs):
        self.entries = [{"kind": "begin"}]
        self.who = None
        self.is_replayed = False
        self._ids = inputs.sample_ids
        self._before = list(inputs.past.corrections)

    def __len__(self):
        return len(self.entries)

    @property
    def corrections(self):
        """The records of all corrections, also of earlier runs."""
        return self._before + self._corrections_in(self.entries)

    def add_earlier(self, entries):
        """Add corrections made after the past was read and before the run began."""
        self._before += self._corrections_in(entries)

    def _corrections_in(self, entries):
        records = []
        for entry in entries:
            if entry["kind"] != "correction":
                continue
            about = {"by": entry["by"], "at": entry["at"]}
            rows = entry["rows"]
            names = (
                len(rows) * [None] if self._ids is None else self._ids[rows].tolist()
            )
            changes = zip(rows, names, entry["old"], entry["labels"], strict=True)
            records += [
                {"row": row, "sample_id": name, "old": old, "new": new} | about
                for row, name, old, new in changes
            ]
        return records

    def note(self, kind, answers=None, **details):
        """Add an entry.

        Parameters
        ----------
        kind : str
            Its kind.

        answers : list of (int, label or None) or None, default=None
            Rows and their labels. None if it has none.

        **details : dict
            Its other fields.
        """
        if self.is_replayed:
            return
        entry = {"kind": kind, "at": time.time()}
        if answers is not None:
            entry["rows"] = [row for row, _ in answers]
            entry["labels"] = [label for _, label in answers]
        self.entries.append(entry | details)

    def note_corrections(self, corrected, by, *, asked):
        """Add an entry that says which labels were replaced.

        Parameters
        ----------
        corrected : list of (int, label or None, label or None)
            Rows, with the old and the new label.

        by : str or None
            Who replaced them.

        asked : bool
            Whether the new labels are answers to a question.
        """
        answers = [(row, new) for row, _, new in corrected]
        old = [label for _, label, _ in corrected]
        self.note("correction", answers, old=old, by=by or self.who, asked=asked)
