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
        again, known = run.rounds.asked_again, run.ledger.label
        # Where an answer replaces a label, a correction follows. It does not if another
        # process, which had not asked again, has given it.
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
    mine = {r for entry in pending if entry["kind"] == "told" for r in entry["rows"]}
    queued = {r for entry in pending if entry["kind"] == "again" for r in entry["rows"]}
    run.queue = [row for row in run.queue if row not in queued]
    for entry in entries:
        if entry["kind"] == "told":
            # The first answer in the file stays, so those that are pending give way.
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
    # Their answers may have closed the round, and only one of us says so.
    made = [entry for entry in log.entries[n_written:] if entry["kind"] == "closed"]
    made = [entry for entry in made if entry["round"] not in closed]
    log.entries = log.entries[:n_written] + pending + made
    if n_written:
        log.entries[n_written:n_written] = entries
    else:  # what came before the run has begun is not in its log
        log.add_earlier(entries)
