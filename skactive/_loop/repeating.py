"""Doing again what the log of a file says about labels."""

from skactive._loop.ledger import parse_all


def repeat(run, entry):
    """Do again what an entry of a log says about labels.

    Parameters
    ----------
    run : Run
        The run.

    entry : dict
        An entry of the kind "told", "correction" or "again", with rows of the run;
        others do nothing.

    Returns
    -------
    refused : list of (int, object, str)
        The rows whose label is not valid, the label, and the reason.
    """
    if entry["kind"] == "told":
        run.rounds.uncharge(entry["free"])
        return run.record(entry["rows"], entry["labels"], entry.get("by"))
    if entry["kind"] == "correction":
        parsed, refused = parse_all(run.ledger, entry["rows"], entry["labels"])
        if entry.get("asked"):
            # It follows from the answer, unless another process has answered first.
            parsed = [pair for pair in parsed if run.ledger.label(pair[0]) != pair[1]]
        run.replace(parsed, entry["by"])
        return refused
    if entry["kind"] == "again":
        run.enqueue(entry["rows"])
    return []


def take_in(run, entries, n_written):
    """Take in what others have written to the file of a run.

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
    for entry in entries:
        if entry["kind"] == "told":
            # The first answer in the file stays.
            for row, label in zip(entry["rows"], entry["labels"], strict=True):
                if label is not None and row not in run.rounds.asked_again:
                    run.ledger.give_way(row, label)
        repeat(run, entry)
    for entry in pending:  # in the file, these come after the others
        if entry["kind"] in ("told", "correction"):
            for row, label in zip(entry["rows"], entry["labels"], strict=True):
                if entry["kind"] == "correction" or run.ledger.label(row) is None:
                    run.ledger.replace(row, label)
    # Their answers may have closed the round, and only one of us says so.
    made = [entry for entry in log.entries[n_written:] if entry["kind"] == "closed"]
    made = [entry for entry in made if entry["round"] not in closed]
    log.entries = log.entries[:n_written] + made + pending
    if n_written:
        log.entries[n_written:n_written] = entries
    else:  # what came before the run has begun is not in its log
        log.add_earlier(entries)
