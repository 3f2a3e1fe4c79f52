"""Asking an oracle: the keywords that it gets, and the answers that it may give."""

import inspect
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager

import numpy as np
from sklearn.exceptions import DataConversionWarning

from skactive.exceptions import ActiveLearningError, OracleError, StopLabeling
from skactive.utils._containers import index_of, is_numbered, order_of_names
from skactive.utils._labels import NULL_TEXTS
from skactive.utils._shown import shown
from skactive.utils._warning import warn_caller

# Keywords that an oracle gets if its signature names them; a store gives one more.
KEYWORDS = ("sample_ids", "proba", "classes")
STORE_KEYWORDS = (*KEYWORDS, "request_ids")

_NOTHING = object()


def oracle_keywords(oracle, *, has_sample_ids, keywords=KEYWORDS):
    """Return the keywords that an oracle wants, found in its signature.

    Parameters
    ----------
    oracle : callable
        ``oracle(X)``, or one that also names some of `KEYWORDS`.

    has_sample_ids : bool
        Whether `sample_ids` were given to the fit.

    keywords : tuple of str, default=KEYWORDS
        Keywords that it may name.

    Returns
    -------
    keywords : tuple of str
        The keywords to pass.

    Raises
    ------
    TypeError
        If it cannot be called with rows, or requires anything else.
    ValueError
        If it requires sample ids and there are none.
    """
    if not callable(oracle):
        raise TypeError(f"oracle must be a callable, got {shown(oracle)}.")
    if inspect.isclass(oracle):
        raise TypeError(
            f"oracle is the class {oracle.__name__}; pass an object of it, "
            f"{oracle.__name__}(...)."
        )
    if hasattr(type(oracle), "_parameter_constraints"):
        oracle._validate_params()
    if hasattr(type(oracle), "wanted_keywords"):  # it wraps other oracles
        _check_hook(oracle, "wanted_keywords")
        wanted = oracle.wanted_keywords(has_sample_ids=has_sample_ids)
        are_names = isinstance(wanted, (tuple, list, Set))
        unknown = [n for n in wanted if n not in keywords] if are_names else wanted
        if unknown or not are_names:
            raise TypeError(
                f"wanted_keywords of the oracle {shown(oracle)} must return some of "
                f"{keywords}, got {shown(unknown)}."
            )
        return tuple(wanted)
    return _keywords_of_signature(oracle, has_sample_ids, keywords)


def _keywords_of_signature(oracle, has_sample_ids, keywords):
    """Return the keywords that a signature names, or raise if it requires others."""
    try:
        parameters = list(inspect.signature(oracle).parameters.values())
    except (ValueError, TypeError):  # some builtins have no signature
        return ()
    if not parameters or parameters[0].kind not in (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        inspect.Parameter.VAR_POSITIONAL,
    ):
        raise TypeError(
            f"The oracle {shown(oracle)} takes no rows; its first parameter must be X, "
            "which is passed by position."
        )
    wanted = []
    for parameter in parameters[1:]:
        named = parameter.kind in (
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            inspect.Parameter.KEYWORD_ONLY,
        )
        required = parameter.default is inspect.Parameter.empty and parameter.kind in (
            inspect.Parameter.POSITIONAL_ONLY,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            inspect.Parameter.KEYWORD_ONLY,
        )
        if named and parameter.name == "sample_ids" and not has_sample_ids:
            if required:
                raise ValueError(
                    f"The oracle {shown(oracle)} requires sample_ids, and the fit got "
                    "none. Pass the ids that the oracle knows the rows by, for "
                    "instance fit(X, y, sample_ids=np.arange(n_samples))."
                )
        elif named and parameter.name in keywords:
            wanted.append(parameter.name)
        elif required:
            raise TypeError(
                f"The oracle {shown(oracle)} requires the parameter "
                f"{parameter.name!r}, which it will not get. An oracle gets X, and "
                f"of {keywords} those that its signature names; give other "
                "parameters a default, or bind them with functools.partial."
            )
    return tuple(wanted)


def prepare_oracle(oracle, facts):
    """Pass the facts about a run to an oracle, before it is first called.

    Parameters
    ----------
    oracle : callable
        The oracle. It may have a method ``for_run(facts)``, which returns the oracle of
        the run.

    facts : callable
        Returns the `RunFacts`. It is called only for an oracle with `for_run`, as they
        hold an entry for every row.

    Returns
    -------
    oracle : callable
        The oracle of this run.

    Raises
    ------
    TypeError
        If `for_run` does not return a callable.
    """
    # Looked up in the type, as a Mock has every attribute.
    if not hasattr(type(oracle), "for_run"):
        return oracle
    _check_hook(oracle, "for_run")
    asked = oracle.for_run(facts())
    if not callable(asked):
        raise TypeError(
            f"for_run of the oracle {shown(oracle)} must return the oracle of the "
            f"run, a callable, got {shown(asked)}."
        )
    return asked


def _check_hook(oracle, name):
    if not callable(getattr(oracle, name)):
        raise TypeError(
            f"{name} of the oracle {shown(oracle)} must be a method, got "
            f"{shown(getattr(oracle, name))}."
        )


def ask_oracle(oracle, keywords, query, tell):
    """Ask an oracle about the rows of a query, and tell its labels as they come.

    Parameters
    ----------
    oracle : callable
        The oracle.

    keywords : tuple of str
        Keywords that it gets besides the rows.

    query : Query
        The rows.

    tell : callable
        ``tell(labels, indices=rows)`` records labels.

    Returns
    -------
    stopped : bool
        Whether the oracle wants the run to end.

    Raises
    ------
    OracleError
        If the oracle raises, or gives too few or too many answers.
    """
    given = {name: getattr(query, name) for name in keywords}
    n_told, answers = 0, None
    names = names_of(query.X, query.sample_ids)
    try:
        with calling_oracle():
            answers = oracle(query.X, **given)
        if not isinstance(answers, Iterator):
            tell(in_order(answers, names), indices=query.indices)
            return False
        for row in query.indices:
            with calling_oracle():
                answer = next(answers, _NOTHING)
            if answer is _NOTHING:
                raise OracleError(
                    "The oracle's iterator ended too early: expected "
                    f"{len(query.indices)} labels, got {n_told}. These are recorded."
                )
            tell([answer], indices=[row])
            n_told += 1
        check_exhausted(answers, len(query.indices))
    except StopLabeling as stop:
        prefix = prefix_of(stop, names, len(query.indices))
        tell(prefix[n_told:], indices=query.indices[n_told : len(prefix)])
        return True
    finally:
        close_generator(answers)
    return False


def prefix_of(stop, names, n_rows):
    """Return the labels that came with StopLabeling: those of the first rows."""
    if stop.labels is None:
        return []
    n_labels = len(list(stop.labels))
    labels = list(in_order(stop.labels, [known[:n_labels] for known in names]))
    if len(labels) > n_rows:
        raise OracleError(
            f"StopLabeling came with {len(labels)} labels for a batch of {n_rows} "
            "rows; expected those of its first rows.",
            answers=stop.labels,
        ) from stop
    return labels


def close_generator(answers):
    """Close a generator now, not when the last traceback that holds it is dropped."""
    if inspect.isgenerator(answers):
        answers.close()


def check_exhausted(answers, n_expected):
    with calling_oracle():
        answer = next(answers, _NOTHING)
    if answer is not _NOTHING:
        raise OracleError(
            f"The oracle's iterator went on after the {n_expected} labels that were "
            "expected; it is not known which rows they belong to.",
            answers=[answer],
        )


@contextmanager
def calling_oracle():
    """Turn the errors of an oracle into OracleError; signals of ours pass through."""
    try:
        yield
    except (StopLabeling, ActiveLearningError):
        raise
    except Exception as error:
        raise OracleError(
            f"The oracle raised {type(error).__name__}: {error}"
        ) from error


def answer_list(answers, n_expected, *, missing_label):
    """Return the answers to one batch as a list of `n_expected` values.

    Parameters
    ----------
    answers : object
        What the oracle returned; iterators are not handled here.

    n_expected : int
        Number of rows that it was asked about.

    missing_label : int, str, None or nan
        The marker.

    Returns
    -------
    values : list
        One value per row, not yet checked to be a label.

    Raises
    ------
    OracleError
        If it is not a sequence of `n_expected` values.
    """
    values = _as_list(answers, n_expected, missing_label)
    if len(values) != n_expected:
        raise OracleError(
            f"The number of labels is wrong: expected {n_expected}, "
            f"got {len(values)}. None of them was used, as it is not known which rows "
            "they belong to.",
            answers=answers,
        )
    return values


def split_answers(answers, parse):
    """Separate answers that are labels from those that are not.

    Parameters
    ----------
    answers : iterable of (key, answer)
        The answers, by row.

    parse : callable
        Returns the label of an answer, or raises ValueError.

    Returns
    -------
    labels : dict
        Labels, by key.

    refused : list of (key, answer, str)
        The other answers, with the reason.
    """
    labels, refused = {}, []
    for key, answer in answers:
        try:
            labels[key] = parse(answer)
        except ValueError as error:
            refused.append((key, answer, str(error)))
    return labels, refused


def in_order(answers, names):
    """Return answers in the order of the rows, if their index names the rows."""
    orders = (order_of_names(answers, known) for known in names)
    order = next((order for order in orders if order is not None), None)
    if order is None or (order == np.arange(len(order))).all():
        return answers
    if not is_numbered(answers.index):
        return answers.iloc[order]
    _warn(
        answers,
        "The answers are a Series whose index, 0, 1, 2, ..., could also be meant as "
        "the ids of the rows; they are read by position. Give a list.",
        UserWarning,
    )
    return answers


def names_of(X, sample_ids):
    """Return the names of the rows that the index of their answers may use."""
    return [names for names in (sample_ids, index_of(X)) if names is not None]


def _as_list(answers, n_expected, missing_label):
    if inspect.isawaitable(answers) or inspect.isasyncgen(answers):
        if inspect.iscoroutine(answers):
            answers.close()  # or Python warns that it was never awaited
        raise _refused(answers, "an awaitable; await it inside the oracle instead")
    if isinstance(answers, (str, bytes, Mapping, Set)) or hasattr(answers, "columns"):
        raise _refused(answers, f"a {type(answers).__name__}")
    if isinstance(answers, np.ma.MaskedArray):
        answers = answers.tolist()  # with None where it is masked
    if isinstance(answers, (list, tuple)):
        return list(answers)
    if not hasattr(answers, "__len__") or not hasattr(answers, "__getitem__"):
        raise _refused(answers, f"{shown(answers)} of type {type(answers).__name__}")
    array = np.asarray(answers)
    if array.ndim == 2 and array.shape[1] == 1:
        _warn(
            answers,
            "The oracle returned a column vector; it should return one label per row, "
            "in a sequence of length n.",
            DataConversionWarning,
        )
        array = array.ravel()
    if array.ndim != 1:
        raise _refused(answers, f"an array of shape {array.shape}")
    if array.dtype.kind in "UT":
        _refuse_hidden_abstention(answers, array, missing_label)
    return array.tolist()


def _refuse_hidden_abstention(answers, array, missing_label):
    """Raise where numpy has turned None, nan or a marker into text."""
    texts = NULL_TEXTS | {str(missing_label)}
    if isinstance(missing_label, str):
        texts = texts - {missing_label}
    found = sorted(texts.intersection(array.tolist()))
    if found:
        raise OracleError(
            f"The oracle returned a unicode array that contains {found[0]!r}, which "
            "looks like an abstention turned into text. Return a list, or an array of "
            "dtype object.",
            answers=answers,
        )


def _refused(answers, what):
    return OracleError(
        "The oracle must return a sequence of labels, one per row in the order of the "
        f"rows, or an iterator over them; got {what}.",
        answers=answers,
    )


def _warn(answers, message, category):
    """Warn. If the user has turned warnings into errors, the error has the answers."""
    try:
        warn_caller(message, category)
    except Warning as error:
        error.answers = answers
        raise
