"""What earlier runs of a session found out about the rows of a run."""

from dataclasses import dataclass, field

import numpy as np

from skactive._loop.entries import as_it_happened


@dataclass
class Past:
    """What is known about the rows before a run begins.

    Rows are row numbers in the `X` of the run. Rows of earlier runs that are no longer
    in `X` are only counted.

    Attributes
    ----------
    in_session : bool
        Whether the run has a session. If not, all else has its default.

    labels : dict of int to label
        Labels by row.

    skipped : list of int
        Rows whose answer is an abstention; they are not queried again.

    taken_back : list of int
        Skipped rows whose label was taken back by a correction.

    queried : list of (int, int, float)
        Rows in the order in which they were queried, the number of their round, and the
        probability with which they were drawn.

    n_charged : int
        Number of queries that count in the budget, also of rows no longer in `X`.

    n_gone : int
        Number of queries of rows that are no longer in `X`.

    left_over : dict of int to int
        Rows that were handed out by a process that ended before they had an answer, and
        the numbers of their rounds.

    queue : list of int
        Rows to ask about again, in order.

    history : list of dict
        The records of the rounds.

    total_cost : float
        Cost of all queries for which prices were given. It includes answers that came
        after their round had ended, which are not in `history`.

    corrections : list of dict
        The records of labels that were replaced.

    sample : list of int
        Rows of the test sample, in the order in which they were drawn.

    n_sample : int
        Size of the test sample, with rows that are no longer in `X`.

    sample_seed : int or None
        The seed of the draws; None if there is no test sample.
    """

    in_session: bool = False
    labels: dict = field(default_factory=dict)
    skipped: list = field(default_factory=list)
    taken_back: list = field(default_factory=list)
    queried: list = field(default_factory=list)
    n_charged: int = 0
    n_gone: int = 0
    left_over: dict = field(default_factory=dict)
    queue: list = field(default_factory=list)
    history: list = field(default_factory=list)
    total_cost: float = 0.0
    corrections: list = field(default_factory=list)
    sample: list = field(default_factory=list)
    n_sample: int = 0
    sample_seed: int | None = None

    def known(self, n_samples):
        """Return a mask of the rows that appear in the session."""
        mask = np.zeros(n_samples, dtype=bool)
        rows = [*self.labels, *self.skipped, *self.sample]
        mask[rows + [row for row, _, _ in self.queried]] = True
        return mask


def past_of(entries, answers, row_of_id):
    """Collect what the log and the answers of a session say about rows.

    Parameters
    ----------
    entries : list of dict
        The log, with ids in place of row numbers.

    answers : dict of id to label or None
        The answers in the file, None for rows that were skipped.

    row_of_id : dict of id to int
        The rows of `X`.

    Returns
    -------
    past : Past
        What is known.
    """
    past, reader = Past(in_session=True), _Reader()
    for entry in as_it_happened(entries):
        getattr(reader, entry["kind"])(entry)
    reader.close_open_round()
    for name, label in (reader.known | answers).items():
        row = row_of_id.get(name)
        if row is None:
            continue
        if label is None:
            past.skipped.append(row)
            if name in reader.taken_back:
                past.taken_back.append(row)
        else:
            past.labels[row] = label
    past.queried = [
        (row_of_id[name], number, drawn)
        for name, number, drawn in reader.queried
        if name in row_of_id
    ]
    past.n_charged = len(reader.queried) - reader.n_free
    past.n_gone = len(reader.queried) - len(past.queried)
    past.left_over = {
        row_of_id[name]: number
        for name, number in reader.left_over.items()
        if name in row_of_id
    }
    past.queue = [row_of_id[name] for name in reader.queue if name in row_of_id]
    past.history = reader.history
    past.total_cost = reader.total_cost
    past.corrections = [
        {"row": row_of_id.get(record["sample_id"])} | record
        for record in reader.corrections
    ]
    past.sample = [row_of_id[name] for name in reader.sample if name in row_of_id]
    past.n_sample = len(reader.sample)
    past.sample_seed = reader.sample_seed
    return past


class _Reader:
    """Reads the entries of a log; there is a method for each kind."""

    def __init__(self):
        self.known = {}
        self.taken_back = set()
        self.queried = []
        self.n_free = 0
        self.left_over = {}
        self.queue = []
        self.history = []
        self.total_cost = 0.0
        self.corrections = []
        self.sample = []
        self.sample_seed = None
        self._open = None
        self._told = {}
        self._prices = {}

    def begin(self, entry):
        self.close_open_round()
        if entry.get("sample"):
            self.sample += entry["sample"]["rows"]
            self.sample_seed = entry["sample"]["seed"]

    def round(self, entry):
        self.close_open_round()  # a run that had to stop may have told the rest
        self._open, self._told = entry, {}
        self._prices |= zip(entry["rows"], entry.get("costs") or [], strict=False)
        for name in entry["rows"]:
            self.left_over.pop(name, None)

    def told(self, entry):
        self.n_free += len(entry["free"])
        for name, label in zip(entry["rows"], entry["labels"], strict=True):
            if self.known.get(name) is None:
                self.known[name] = label
            if (
                not self._is_answer(name, label) and name in self.left_over
            ):  # handed out by a process that has ended
                self.queried.append((name, self.left_over.pop(name), np.nan))
                self.total_cost += self._prices.get(name, 0.0)

    def _is_answer(self, name, label):
        """Note an answer if its row belongs to the open round."""
        if self._open is None or name not in self._open["rows"]:
            return False
        if self._open["strategy"] == "again" and name not in self._told:
            self.queue = [other for other in self.queue if other != name]
        self._told[name] = label
        return True

    def contradiction(self, entry):
        pass  # the first answer stays

    def closed(self, entry):
        if self._open is None or entry["round"] != self._open["round"]:
            return  # another process has closed it already
        self._open = None
        if entry["record"] is None:
            return
        self.history.append(entry["record"])
        self.total_cost += entry["record"].get("cost", 0.0)
        drawn = zip(entry["rows"], entry["probabilities"], strict=True)
        for name, probability in drawn:
            probability = np.nan if probability is None else probability
            self.queried.append((name, entry["round"], probability))

    def close_open_round(self):
        """Close a round whose process has ended before the last answer."""
        if self._open is None:
            return
        told = [name for name in self._open["rows"] if name in self._told]
        number = self._open["round"]
        left = [name for name in self._open["rows"] if name not in self._told]
        if self._open["strategy"] != "again":  # the queue has these
            self.left_over |= dict.fromkeys(left, number)
        labels = [self._told[name] for name in told]
        record = self._open["record"] | {
            "n_queried": len(told),
            "n_abstained": labels.count(None),
        }
        if "cost" in record:
            cost = sum(self._prices.get(name, 0.0) for name in told)
            record |= {"cost": cost, "total_cost": self.total_cost + cost}
        self.closed(
            {
                "round": self._open["round"],
                "rows": told,
                "probabilities": [None] * len(told),
                "record": record if told else None,
            }
        )

    def correction(self, entry):
        changes = zip(entry["rows"], entry["old"], entry["labels"], strict=True)
        for name, old, new in changes:
            record = {"sample_id": name, "old": old, "new": new}
            self.corrections.append(record | {"by": entry["by"], "at": entry["at"]})
            self.known[name] = new
            if not entry.get("asked"):
                self._is_answer(name, new)
            (self.taken_back.add if new is None else self.taken_back.discard)(name)

    def again(self, entry):
        self.queue += [name for name in entry["rows"] if name not in self.queue]

    def end(self, entry):
        self.close_open_round()

    def stop(self, entry):
        self.close_open_round()
        self.left_over = {}
