"""Begin a run, with a session or without."""

from skactive._loop.inputs import check_inputs
from skactive._loop.journal import Journal
from skactive._loop.run import Run
from skactive._loop.session import open_session


def begin_run(clf, X, y, *, session=None, **given):
    """Check the inputs of a run, and begin it.

    Parameters
    ----------
    clf : ActiveLearningClassifier
        The classifier.

    X, y : array-like
        The rows and their labels.

    session : Session, str, path-like or None, default=None
        The session to continue.

    **given : dict
        Other arguments of `check_inputs`.

    Returns
    -------
    run : Run
        The run.
    """
    session = open_session(session)
    if session is None:
        return Run(check_inputs(clf, X, y, **given))
    entries = session.entries()
    inputs = check_inputs(
        clf, X, y, read_past=lambda rows: session.past(entries, rows), **given
    )
    run = Run(inputs)
    run.ledger.warn()
    run.log.who = session.who
    run.journal = Journal(session, run, n_before=len(entries), whole=False)
    return run
