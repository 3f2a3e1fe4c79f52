"""An oracle that asks the person at the terminal."""

import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from numbers import Integral, Number

import numpy as np
from sklearn.base import BaseEstimator

from skactive.exceptions import StopLabeling
from skactive.oracles._interactive import InteractiveOracleMixin
from skactive.oracles._showing import inert, rows_of, short, show_row
from skactive.utils._sklearn import Function, Interval

_SKIP, _UNDO, _QUIT, _MORE, _NEW = "s", "u", "q", "?", "+"
_RESERVED = (_SKIP, _UNDO, _QUIT, _MORE)
_FREE_KEYS = "123456789abcdefghijklmnoprtvwxyz"
_UNDONE, _DONE = object(), object()

# Two threads may ask at the same time, and there is one terminal for both.
_TERMINAL = threading.Lock()

# Since the last line that was typed. Ctrl-C ends a run; in a search, another run begins
# then, and a second Ctrl-C ends that one and everything around it.
_INTERRUPTED = threading.Event()


class TerminalOracle(InteractiveOracleMixin, BaseEstimator):
    """Ask the person at the terminal, row by row.

    Each row is shown with the classes and their keys. An answer is the key or the name
    of a class, and Enter. ``s`` skips a row (to abstain), ``u`` undoes the previous
    answer, ``q`` ends the run and keeps all answers, ``?`` shows the row in full, and
    ``+name`` gives the row a new class.

    Answers are recorded one by one, so that nothing is lost when the person stops in
    the middle of a batch. A recorded answer cannot be undone, so each answer is held
    back while the next row is shown, and recorded once that row is answered: undo goes
    back one answer, and not into an earlier batch. The last answer of a batch is
    recorded at once, unless `confirm` is set.

    The answer that is held back is not lost either. It is recorded when the person
    quits, by ``q``, Ctrl-C or the end of the input (Ctrl-D), and before an error is
    raised: an answer is safe as soon as the next row is shown. After ``q``, Ctrl-C or
    Ctrl-D the run ends normally. Ctrl-C raises `KeyboardInterrupt` out of `fit`, with
    all answers in ``transduction_``, if no question is open, for instance while a model
    is fitted, and if it comes twice without an answer in between, so that it also ends
    a search.

    In a run, rows are numbered from the first of all batches to the budget.

    Control characters, escape sequences and marks that change the direction of a text
    are shown as escapes, so that no text in the data acts on the terminal.

    It reads from `sys.stdin`, writes to `sys.stdout`, and works in notebooks. It cannot
    be pickled, as workers have no terminal: a search around the classifier needs
    ``n_jobs=1``.

    Read more in the :ref:`User Guide <terminal_oracle>`.

    Parameters
    ----------
    render : callable or None, default=None
        ``render(row) -> str`` makes the text that is shown. It gets a dict of feature
        to value if `X` is a data frame, a sparse matrix of one row if `X` is sparse,
        and otherwise an item of `X`. If None, a text is shown as it is, and other rows
        with one feature in each line.

    suggest : bool, default=False
        Whether to show the most probable class of the model. It saves work, but people
        tend to agree with it.

    keys : mapping of str to class, or None, default=None
        Keys of classes, which are offered even if no row has the class yet. Other
        classes get their name as key if it is one character or a number, and otherwise
        a digit or letter.

    new_classes : bool, default=True
        Whether ``+name`` may give a row a class that is not known yet. Set it to False
        where the classifier has closed `classes`.

    confirm : bool, default=False
        Whether to wait for Enter at the end of each batch, so that its last answer can
        be undone, too.

    max_chars : int, default=2000
        Number of characters of a text that are shown. ``?`` shows all.

    See Also
    --------
    skactive.LabelingLoop : For answers from elsewhere.

    Examples
    --------
    >>> import io, sys
    >>> from skactive.oracles import TerminalOracle
    >>> oracle = TerminalOracle()
    >>> stdin, sys.stdin = sys.stdin, io.StringIO("2\\nham\\n")
    >>> list(oracle(["Win a prize", "See you"], classes=["ham", "spam"]))
    <BLANKLINE>
    Row 1 of 2
    | Win a prize
    1 = ham, 2 = spam; s = skip, q = quit, ? = more, +name = new class
    >
    Row 2 of 2
    | See you
    1 = ham, 2 = spam; s = skip, u = undo, q = quit, ? = more, +name = new class
    > ['spam', 'ham']
    >>> sys.stdin = stdin
    """

    _parameter_constraints = {
        "render": [Function(), None],
        "suggest": ["boolean"],
        "keys": [Mapping, None],
        "new_classes": ["boolean"],
        "confirm": ["boolean"],
        "max_chars": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        *,
        render=None,
        suggest=False,
        keys=None,
        new_classes=True,
        confirm=False,
        max_chars=2000,
    ):
        self.render = render
        self.suggest = suggest
        self.keys = keys
        self.new_classes = new_classes
        self.confirm = confirm
        self.max_chars = max_chars

    def __call__(self, X, *, proba=None, classes=None, sample_ids=None):
        """Ask for the labels of some rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, list} of length n_rows
            The rows.

        proba : array-like of shape (n_rows, n_classes) or None, default=None
            Probabilities of `classes`, for the suggestion.

        classes : array-like of shape (n_classes,) or None, default=None
            Classes known so far.

        sample_ids : array-like of shape (n_rows,) or None, default=None
            Ids of the rows, which are shown.

        Returns
        -------
        labels : iterator
            One label for each row, None where the row was skipped. It raises
            `StopLabeling` when the person quits.
        """
        return self._ask_all(
            X, proba=proba, classes=classes, sample_ids=sample_ids, progress=None
        )

    def for_run(self, facts):
        """Return the oracle of one run, in which rows are numbered up to the budget.

        Parameters
        ----------
        facts : RunFacts
            The facts about the run.

        Returns
        -------
        oracle : callable
            The oracle of this run.
        """
        return partial(self._ask_all, progress=facts.progress)

    def _ask_all(self, X, *, progress, proba=None, classes=None, sample_ids=None):
        """Return an iterator of answers; `progress()` counts the rows of the run."""
        self._validate_params()
        keys = _check_keys(self.keys)
        known = [] if classes is None else np.asarray(classes).tolist()
        if not (known or keys or self.new_classes):
            raise ValueError(
                "TerminalOracle: there is no class to choose, as none is known, `keys` "
                "names none, and new_classes=False."
            )
        rows = rows_of(X)
        titles = _titles(len(rows), sample_ids, progress)
        suggestions = [None] * len(rows)
        if self.suggest and proba is not None:
            suggestions = [_suggestion(p, known) for p in np.asarray(proba)]
        items = list(zip(titles, rows, suggestions, strict=True))
        return self._answers(items, [*keys.values(), *known], keys)

    def _answers(self, items, known, keys):
        """Ask row by row, and yield each answer once the next one is there."""
        answers, n_given = [], 0
        try:
            while True:
                can_undo = len(answers) > n_given
                choices = _Choices([*known, *answers], keys, self.new_classes)
                reply = self._reply(items, len(answers), choices, can_undo)
                if reply is _DONE:
                    break
                if reply is _UNDONE:
                    answers.pop()
                    continue
                answers.append(reply)
                if can_undo:
                    n_given += 1
                    yield answers[n_given - 1]
        except GeneratorExit:  # the run that takes the answers has failed
            if len(answers) > n_given:
                _say_not_recorded(answers[n_given:])
            raise
        except BaseException as error:
            # The next row was shown, so the answer held back counts.
            if isinstance(error, StopLabeling):
                error.labels = list(answers)
            yield from answers[n_given:]
            raise
        yield from answers[n_given:]

    def _reply(self, items, at, choices, can_undo):
        """Return the answer to the next question, `_UNDONE` or `_DONE`."""
        if at < len(items):
            return _ask(self._question(*items[at]), choices, can_undo=can_undo)
        return _ask_whether_done() if self.confirm and can_undo else _DONE

    def _question(self, title, row, suggestion):
        """Return a function that gives the text of a question, in full if wanted."""
        shown = row if self.render is None else self.render(row)

        def question(*, full):
            text = show_row(shown, max_chars=None if full else self.max_chars)
            # With a margin, no text in the data can look like a question of the oracle.
            lines = ["", title, *(f"| {line}" for line in text.split("\n"))]
            return "\n".join(lines if suggestion is None else [*lines, suggestion])

        return question


def _titles(n_rows, sample_ids, progress):
    """Return a headline for each row."""
    titles = [f"{number} of {n_rows}" for number in range(1, n_rows + 1)]
    if progress is None:
        titles = [f"Row {title}" for title in titles]
    else:
        n_asked, budget = progress()
        before = n_asked - n_rows
        titles = [
            f"Row {before + number} of {budget}, {title} in this batch"
            for number, title in enumerate(titles, start=1)
        ]
    if sample_ids is None:
        return titles
    ids = np.asarray(sample_ids).tolist()
    return [f"{title} (id {short(i)})" for title, i in zip(titles, ids, strict=True)]


def _suggestion(proba, classes):
    """Return a line with the most probable class, None if there is none."""
    if not len(proba) or not np.isfinite(proba).all():
        return None
    best = int(np.argmax(proba))
    return f"The model suggests {short(classes[best])} ({proba[best]:.0%})"


def _check_keys(keys):
    """Return the keys that the user chose, as a dict, or raise."""
    for key in keys or {}:
        if not isinstance(key, str) or key.strip() != key or not key:
            raise ValueError(
                f"TerminalOracle: keys must be strings without spaces around, got "
                f"{key!r}."
            )
        if key in _RESERVED or key.startswith(_NEW):
            raise ValueError(
                f"TerminalOracle: the key {key!r} is taken; {_SKIP} skips, {_UNDO} "
                f"undoes, {_QUIT} quits, {_MORE} shows more, and {_NEW} begins the "
                "name of a new class. Choose another key."
            )
    classes = list((keys or {}).values())
    if len(set(classes)) < len(classes):
        raise ValueError(f"TerminalOracle: keys must name a class once, got {keys!r}.")
    return dict(keys or {})


class _Choices:
    """The classes of a question and their keys; it reads the lines that are typed."""

    def __init__(self, classes, keys, new_classes):
        self.classes = [c for c in dict.fromkeys(classes) if c is not None]
        self.keys = self._all_keys(keys)
        self.new_classes = new_classes

    def _all_keys(self, chosen):
        keys = dict(chosen)
        names = {str(c) for c in self.classes}
        free = [c for c in _FREE_KEYS if c not in names and c not in keys]
        for label in self.classes:
            name = str(label)
            if label in chosen.values():
                continue
            if _is_own_key(label) and name not in keys:
                keys[name] = label
            elif free:
                keys[free.pop(0)] = label
        return keys

    def shown(self):
        """Return a line with the keys of all classes."""
        parts = [
            short(key) if key == str(label) else f"{short(key)} = {short(label)}"
            for key, label in self.keys.items()
        ]
        if len(self.keys) < len(self.classes):
            parts.append("or the name of one of the other classes")
        return ", ".join(parts)

    def parse(self, line):
        """Return the class that a line names; raise ValueError if it names none."""
        if line in self.keys:
            return self.keys[line]
        named = [c for c in self.classes if str(c) == line]
        named = named or [c for c in self.classes if str(c).lower() == line.lower()]
        if len(named) == 1:
            return named[0]
        if line.startswith(_NEW) and self.new_classes:
            return self._new(line[len(_NEW) :].strip())
        if not line:
            raise ValueError("Nothing was typed.")
        hint = f" {_NEW}{line} makes it a new class." if self.new_classes else ""
        raise ValueError(f"{line!r} is neither a key nor a class.{hint}")

    def _new(self, name):
        if not name or not name.isprintable():
            raise ValueError(f"{name!r} cannot be the name of a class.")
        numbers = [isinstance(c, Number) for c in self.classes]
        if not all(numbers):
            return name
        try:
            return int(name)
        except ValueError:
            if not numbers:
                return name
            raise ValueError(
                f"{name!r} is not a whole number, as classes are."
            ) from None


def _is_own_key(label):
    name = str(label)
    number = isinstance(label, Number) and not isinstance(label, bool)
    is_short = len(name) == 1 and name.isprintable() and not name.isspace()
    return name not in _RESERVED and name != _NEW and (number or is_short)


def _ask(question, choices, *, can_undo):
    """Ask one question until the answer is clear; return it, or `_UNDONE`."""
    with _TERMINAL:
        _say(question(full=False))
        while True:
            line = _read(_menu(choices, can_undo=can_undo))
            if line == _SKIP:
                return None
            if line == _MORE:
                _say(question(full=True))
                continue
            if line == _UNDO and can_undo:
                return _UNDONE
            try:
                if line == _UNDO:
                    raise ValueError(
                        "Only the answer before, of the same batch, can "
                        "be undone, and once."
                    )
                return choices.parse(line)
            except ValueError as error:
                _say(inert(str(error)))


def _ask_whether_done():
    """Wait for Enter at the end of a batch; return `_DONE` or `_UNDONE`."""
    with _TERMINAL:
        while True:
            line = _read(
                f"End of the batch: Enter = go on, {_UNDO} = undo, {_QUIT} = quit"
            )
            if line == _UNDO:
                return _UNDONE
            if not line:
                return _DONE


def _menu(choices, *, can_undo):
    commands = [f"{_SKIP} = skip", f"{_QUIT} = quit", f"{_MORE} = more"]
    if can_undo:
        commands.insert(1, f"{_UNDO} = undo")
    if choices.new_classes:
        commands.append(f"{_NEW}name = new class")
    return "; ".join(part for part in (choices.shown(), ", ".join(commands)) if part)


def _read(menu):
    """Show the menu and return the line typed; the end of the input is to quit."""
    _say(menu)
    try:
        line = input("> ").strip()
    except UnicodeDecodeError:
        return "\ufffd"  # bytes that are not text; the question is asked again
    except KeyboardInterrupt as error:
        if _INTERRUPTED.is_set():
            raise
        _INTERRUPTED.set()
        with suppress(OSError, ValueError):
            _say("\nInterrupted, all answers are kept.")
        raise StopLabeling("The person at the terminal has pressed Ctrl-C.") from error
    except (EOFError, OSError, RuntimeError, ValueError) as error:
        # Ctrl-D, a terminal that is gone, no input at all, an input that is closed.
        with suppress(OSError, ValueError):
            _say("\nThe input has ended, all answers are kept.")
        raise StopLabeling("The input has ended.") from error
    _INTERRUPTED.clear()
    if line == _QUIT:
        raise StopLabeling("The person at the terminal has quit.")
    return line


def _say(text):
    """Print a text, with escapes for characters that the terminal does not have."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True)


def _say_not_recorded(answers):
    with suppress(OSError, ValueError):
        names = ", ".join("skip" if a is None else short(a) for a in answers)
        _say(f"\nNot recorded, as the run has failed: {names}")
