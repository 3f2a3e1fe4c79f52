"""Errors of a run: the labels that they carry, and the advice that they give."""

from types import SimpleNamespace

import pytest

from skactive._loop.keeping import explaining_fit, keeping_labels
from skactive._loop.waiting import HOPELESS
from skactive.exceptions import ActiveLearningError


class ARun:
    """What both contexts read of a run: two labels bought, unless `labels` is empty."""

    def __init__(self, labels=("a", "b"), condition=None):
        self.labels = list(labels)
        self.condition = condition
        self.models = self
        self.rounds = self

    @property
    def n_queries(self):
        return len(self.labels)

    def bought(self):
        return {"labels": self.labels, "indices": [7, 3][: len(self.labels)]}

    def hint(self, run, pool, error):
        assert run is self
        return f"Hint about {pool.name} and {error}."


def a_pool(failed=True):
    fits = SimpleNamespace(failed=ValueError() if failed else None)
    return SimpleNamespace(name="pool", models=SimpleNamespace(fits=fits))


def notes(error):
    return getattr(error, "__notes__", [])


def raised(context, error):
    """The error that leaves a context in which one is raised."""
    with pytest.raises(BaseException) as caught, context:  # noqa: PT011
        raise error
    return caught.value


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_error_carries_the_labels_bought_so_far(kind):
    error = kind("why")
    assert raised(keeping_labels(ARun()), error) is error
    assert (error.labels, error.indices) == (["a", "b"], [7, 3])
    (note,) = notes(error)
    assert note.startswith("2 labels had been bought before.")


def test_without_labels_an_error_is_left_alone():
    error = raised(keeping_labels(ARun([])), ValueError())
    assert not hasattr(error, "labels")
    assert notes(error) == []


def test_labels_that_an_error_has_already_stay():
    error = ActiveLearningError("why", labels=["c"], indices=[1])
    assert raised(keeping_labels(ARun()), error) is error
    assert (error.labels, error.indices, notes(error)) == (["c"], [1], [])


def test_an_error_of_the_package_without_labels_gets_them():
    error = raised(keeping_labels(ARun()), ActiveLearningError("why"))
    assert (error.labels, error.indices) == (["a", "b"], [7, 3])


def test_nothing_happens_without_an_error():
    with keeping_labels(ARun()), explaining_fit(ARun(), a_pool()):
        pass


@pytest.mark.parametrize(
    ("run", "pool", "error"),
    [
        (ARun(), a_pool(failed=False), ValueError("of a strategy")),
        (ARun(condition="no_oracle"), a_pool(), ValueError("of a plain fit")),
        (ARun(), a_pool(), OSError("full disk")),
        (ARun([]), a_pool(), HOPELESS[0]("no such method")),
    ],
    ids=["no fit", "no oracle", "system", "hopeless"],
)
def test_errors_that_labels_do_not_explain_are_left_alone(run, pool, error):
    assert raised(explaining_fit(run, pool), error) is error
    assert notes(error) == []


@pytest.mark.parametrize("kind", HOPELESS)
def test_an_error_that_no_label_helps_says_itself_what_to_do(kind):
    cause = kind("set another loss")
    error = raised(explaining_fit(ARun(), a_pool()), cause)
    assert type(error) is ActiveLearningError
    assert str(error) == "set another loss"
    assert (error.labels, error.indices) == (["a", "b"], [7, 3])
    assert error.__cause__ is cause


def test_before_the_first_label_the_error_of_the_fit_gets_a_note():
    cause = ValueError("one class")
    error = raised(explaining_fit(ARun([]), a_pool()), cause)
    assert error is cause
    assert notes(error) == ["Hint about pool and one class."]


@pytest.mark.parametrize(("note", "said"), [(None, ""), ("In fold 3.", " In fold 3.")])
def test_later_the_error_of_the_fit_is_the_cause_of_one_with_labels(note, said):
    cause = ValueError("one class")
    if note is not None:
        cause.add_note(note)
    error = raised(explaining_fit(ARun(), a_pool()), cause)
    assert type(error) is ActiveLearningError
    assert str(error) == (
        f"A model could not be fitted: one class.{said} Hint about pool and one class."
    )
    assert (error.labels, error.indices) == (["a", "b"], [7, 3])
    assert error.__cause__ is cause
