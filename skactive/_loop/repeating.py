"""Apply the log entries of a file to a run: a replay, or a merge."""

from skactive._loop.ledger import parse_all


def repeat(run, entry):
    """Apply an entry of a log that is about labels.

    Parameters
    ----------
    run : Run
        The run.

    entry : dict
        An entry of the kind "told", "correction" or "again", with rows of the run;
        other kinds do nothing.

    Returns
    -------
    refused : list of (int, object, str)
        The rows whose label is not valid, the label, and the reason.
    """
    if entry["kind"] == "told":
        run.rounds.uncharge(entry["free"])
        again, known = run.rounds.asked_again, run.ledger.label
        # If the answer has replaced a label, a correction follows. If it came from
        # another process that did not ask again, none follows, and the label stays.
        labels = [
            label if row not in again or known(row) is None else known(row)
            for row, label in zip(entry["rows"], entry["labels"], strict=True)
        ]
        return run.record(entry["rows"], labels, entry.get("by"))
    if entry["kind"] == "correction":
        parsed, refused = parse_all(run.ledger, entry["rows"], entry["labels"])
        if entry.get("asked"):
            parsed = [pair for pair in parsed if run.ledger.label(pair[0]) != pair[1]]
        run.replace(parsed, entry["by"])
        return refused
    if entry["kind"] == "again":
        run.enqueue(entry["rows"])
    return []


def take_in(run, entries, n_written):
    """Take into a run what other processes have written to its file.

    Parameters
    ----------
    run : Run
        The run.

    entries : list of dict
        Their entries, with rows of this run.

    n_written : int
        Number of entries of this run that are in the file before them.
    """
    log = run.log
    pending, log.entries = log.entries[n_written:], log.entries[:n_written]
    closed = {entry["round"] for entry in entries if entry["kind"] == "closed"}
    mine = {r for entry in pending if entry["kind"] == "told" for r in entry["rows"]}
    queued = {r for entry in pending if entry["kind"] == "again" for r in entry["rows"]}
    run.queue = [row for row in run.queue if row not in queued]
    for entry in entries:
        if entry["kind"] == "told":
            # The first answer in the file stays; pending answers give way.
            for row, label in zip(entry["rows"], entry["labels"], strict=True):
                if label is not None and row in mine:
                    run.ledger.give_way(row, label)
                    mine.remove(row)
        elif entry["kind"] == "correction":
            mine.difference_update(entry["rows"])
        repeat(run, entry)
    for entry in pending:  # in the file, these come after the others
        if entry["kind"] in ("told", "correction"):
            for row, label in zip(entry["rows"], entry["labels"], strict=True):
                if entry["kind"] == "correction" or run.ledger.label(row) is None:
                    run.ledger.replace(row, label)
        elif entry["kind"] == "again":
            run.enqueue(entry["rows"])
    # Their answers may have closed the round; only one process notes that.
    made = [entry for entry in log.entries[n_written:] if entry["kind"] == "closed"]
    made = [entry for entry in made if entry["round"] not in closed]
    log.entries = log.entries[:n_written] + pending + made
    if n_written:
        log.entries[n_written:n_written] = entries
    else:  # these came before the run began, and are not in its log
        log.add_earlier(entries)
