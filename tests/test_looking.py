"""Looking at the pool: all candidates, without a trace in the run."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier

from skactive import ActiveLearningClassifier, PseudoLabels
from skactive._loop.inputs import check_inputs
from skactive._loop.looking import look
from skactive._loop.run import Run
from skactive._pool import blocks
from skactive.acquisition import BaseStrategy, get_strategy, get_strategy_names

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
TRUTH = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0.5)
KNOWN = [np.flatnonzero(TRUTH == label)[k] for label in range(3) for k in range(3)]
Y = np.full(60, -1)
Y[KNOWN] = TRUTH[KNOWN]

# As few fits as possible.
PARAMS = {
    "batch_bald": {"max_configurations": 500},
    "bemps": {"n_targets": 10},
    "epig": {"n_targets": 10},
    "loss_prediction": {"cv": 2},
    "expected_error_reduction": {"max_candidates": 3, "max_targets": 10},
    "mal": {"max_epochs": 1, "n_latent": 4},
    "vaal": {"max_epochs": 1, "n_latent": 4},
}
# Only label_dispersion needs more than a logistic regression has.
NAMES = [name for name in get_strategy_names() if name != "label_dispersion"]


def make_run(y=Y, X=X, estimator=None, *, sample_ids=None, **params):
    estimator = LogisticRegression() if estimator is None else estimator
    params = {"batch_size": 4, "random_state": 0, "committee": 3} | params
    return Run(
        check_inputs(
            ActiveLearningClassifier(estimator, **params),
            X,
            y,
            sample_ids=sample_ids,
            cost=None,
            fit_params={},
            has_oracle=True,
        )
    )


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of 7 rows."""
    monkeypatch.setattr(blocks, "block_rows", lambda X: 7)


def joined(run, name):
    """An attribute of all blocks as one array, None if it is None in all of them."""
    parts = [getattr(block, name) for block in look(run)]
    if all(part is None for part in parts):
        return None
    return np.concatenate(parts)


def first_by_utility(run, n):
    """The candidates of highest utility; equal ones in the order of the run."""
    rows, scores = joined(run, "indices"), joined(run, "utilities")
    keys = run.models.new_pool(run).tie_keys(rows)
    return rows[np.lexsort((keys, -scores))][:n].tolist()


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("name", NAMES)
def test_looking_does_not_change_which_rows_are_queried(name):
    strategy = get_strategy(name).set_params(**PARAMS.get(name, {}))
    looked, plain = (make_run(strategy=strategy, budget=8) for _ in range(2))
    while (query := plain.ask()) is not None:
        list(look(looked))
        if type(strategy).select is BaseStrategy.select:  # it takes the highest
            assert first_by_utility(looked, 4) == query.indices.tolist()
        assert looked.ask().indices.tolist() == query.indices.tolist()
        for row in query.indices:
            for run in (looked, plain):
                run.tell(TRUTH[[row]], np.array([row]))
            list(look(looked))
    assert looked.ask() is None
    assert plain.rounds.n_queries == 8
    ours, theirs = (
        [
            {k: v for k, v in record.items() if "seconds" not in k}
            for record in r.rounds.history
        ]
        for r in (looked, plain)
    )
    assert ours == theirs


def test_utilities_and_probabilities_are_those_of_the_model(small_blocks):
    run = make_run(strategy="margin", sample_ids=[f"row {i}" for i in range(60)])
    rows = np.setdiff1d(np.arange(60), KNOWN)
    proba = LogisticRegression().fit(X[Y >= 0], Y[Y >= 0]).predict_proba(X[rows])
    top = np.sort(proba, axis=1)
    parts = list(look(run))
    assert len(parts) == 8  # the first of 9 blocks has no candidate
    assert max(map(len, parts)) == 7
    assert all(part.classes.tolist() == [0, 1, 2] for part in parts)
    assert joined(run, "indices").tolist() == rows.tolist()
    assert joined(run, "sample_ids").tolist() == [f"row {i}" for i in rows]
    np.testing.assert_allclose(joined(run, "proba"), proba)
    np.testing.assert_allclose(
        joined(run, "utilities"), 1 - (top[:, -1] - top[:, -2]), atol=1e-12
    )


def test_a_block_is_predicted_when_it_is_reached(small_blocks):
    sizes = []

    class Counting(LogisticRegression):
        def predict_proba(self, X):
            sizes.append(len(X))
            return super().predict_proba(X)

    run = make_run(estimator=Counting(), strategy="margin")
    parts = look(run)
    assert sizes == []
    next(parts)
    next(parts)
    # Once for both the utilities and the probabilities.
    assert sizes == [6, 6]


def test_rows_of_the_open_round_are_shown_until_they_have_an_answer():
    run = make_run(strategy="margin")
    rows = run.ask().indices
    assert np.isin(rows, joined(run, "indices")).all()
    assert set(first_by_utility(run, 4)) == set(rows.tolist())
    run.tell([TRUTH[rows[0]], None], rows[:2])
    shown = joined(run, "indices")
    assert np.isin(rows, shown).tolist() == [False, False, True, True]
    assert len(shown) == (Y == -1).sum() - 2


def test_rows_of_the_test_sample_are_not_candidates():
    run = make_run(strategy="margin", holdout_fraction=0.3)
    assert run.ask() is not None
    shown = joined(run, "indices")
    assert not np.isin(run.holdout.rows, shown).any()
    assert len(shown) + len(run.holdout) + len(KNOWN) == 60


def test_a_label_that_comes_unasked_takes_its_row_out():
    run = make_run(strategy="margin")
    asked = run.ask().indices
    other = np.setdiff1d(joined(run, "indices"), asked)[:1]
    run.tell(TRUTH[other], other)
    assert not np.isin(other, joined(run, "indices")).any()


@pytest.mark.parametrize("opened", [False, True])
def test_there_is_no_model_in_a_cold_start(opened):
    run = make_run(np.full(60, -1), initial_strategy="random")
    if opened:
        run.ask()
    assert joined(run, "proba") is None
    assert joined(run, "utilities").shape == (60,)
    assert joined(make_run(np.full(60, -1)), "utilities") is None


def test_a_strategy_that_selects_has_no_utilities():
    run = make_run(strategy="k_means")
    assert joined(run, "utilities") is None
    assert joined(run, "proba").shape == (51, 3)


@pytest.mark.parametrize("opened", [False, True])
def test_a_classifier_may_have_no_probabilities(opened):
    run = make_run(estimator=RidgeClassifier(), strategy="random")
    if opened:
        run.ask()
    assert joined(run, "proba") is None
    assert joined(run, "utilities").shape == (51,)


@pytest.mark.filterwarnings("ignore:.*cannot be fitted yet")
@pytest.mark.parametrize("opened", [False, True])
@pytest.mark.parametrize("strategy", ["margin", "entropy_of_some", "random"])
def test_a_model_that_needs_more_labels_says_nothing_yet(strategy, opened):
    if strategy == "entropy_of_some":
        strategy = Remembering()
    run = make_run(estimator=KNeighborsClassifier(12), strategy=strategy)
    if opened:
        run.ask()
    assert joined(run, "proba") is None
    assert (joined(run, "utilities") is None) == (strategy != "random")
    for _ in range(2):
        rows = run.ask().indices
        run.tell(TRUTH[rows], rows)
    assert joined(run, "proba") is not None
    assert joined(run, "utilities") is not None


class Remembering(BaseStrategy):
    """It keeps state, and is not row-wise."""

    needs = frozenset(["proba"])

    def utility(self, pool):
        entropy = -(pool.proba * np.log(pool.proba + 1e-9)).sum(axis=1)
        self.rounds_ = [*getattr(self, "rounds_", []), pool.round]
        return entropy * len(self.rounds_)


def test_a_copy_of_the_strategy_is_asked():
    run = make_run(strategy=Remembering())
    list(look(run))
    rows = run.ask().indices
    list(look(run))
    assert run.inputs.strategy.rounds_ == [1]
    assert run.rounds.open.utilities.tolist() == sorted(
        run.rounds.open.utilities, reverse=True
    )
    assert len(rows) == 4


class KeepingRows(BaseStrategy):
    """Its state refers to all rows."""

    def utility(self, pool):
        assert getattr(self, "X_", pool.X) is pool.X
        self.X_ = pool.X
        return pool.X[pool.candidates, 0]


def test_rows_that_the_strategy_keeps_are_not_copied():
    run = make_run(strategy=KeepingRows())
    run.ask()
    assert joined(run, "utilities").shape == (51,)


@pytest.mark.parametrize("strategy", ["margin", "random"])
def test_the_model_of_the_open_round_is_fitted_once(strategy):
    fits = []

    class Counting(LogisticRegression):
        def fit(self, X, y):
            fits.append(len(y))
            return super().fit(X, y)

    run = make_run(estimator=Counting(), strategy=strategy)
    rows = run.ask().indices
    run.tell(TRUTH[rows], rows)
    query = run.ask()
    for _ in range(3):
        shown = joined(run, "proba")[np.isin(joined(run, "indices"), query.indices)]
        np.testing.assert_array_equal(np.sort(shown, 0), np.sort(query.proba, 0))
    assert fits == [9, 13]


def test_the_rows_that_a_run_predicts_on_are_left_alone(small_blocks):
    y = np.where(np.arange(60) % 3 > 0, TRUTH, -1)  # a third are candidates
    run = make_run(y, strategy="margin")
    list(look(run))
    predictor = run.models.new_pool(run).models.kept.predictor
    assert predictor._rows is None
    run.ask()
    assert len(predictor._rows) == 20


class Broken(BaseStrategy):
    def utility(self, pool):
        raise RuntimeError("out of order")


@pytest.mark.parametrize("rowwise", [False, True])
def test_an_error_of_a_strategy_is_raised(rowwise, monkeypatch):
    monkeypatch.setattr(Broken, "rowwise", rowwise)
    with pytest.raises(RuntimeError, match="out of order"):
        list(look(make_run(strategy=Broken())))


def test_classes_of_a_closed_set_without_a_label_have_the_probability_0():
    run = make_run(classes=[0, 1, 2, 3])
    (part,) = look(run)
    assert part.classes.tolist() == [0, 1, 2, 3]
    assert (part.proba[:, 3] == 0).all()
    assert part.proba.shape == (51, 4)


@pytest.mark.parametrize("unlabeled", ["ignore", PseudoLabels(0.8)])
def test_a_round_that_needed_no_model_has_the_record_that_it_had(unlabeled):
    records = []
    for has_looked in (True, False):
        run = make_run(strategy="random", unlabeled=unlabeled)
        rows = run.ask().indices
        if has_looked:
            list(look(run))
        run.tell(TRUTH[rows], rows)
        records.append(run.rounds.history[0]["same_for_all"])
    assert records == [None, None]


def test_a_run_that_has_ended_can_be_looked_at():
    run = make_run(strategy="margin", budget=4)
    rows = run.ask().indices
    run.tell(TRUTH[rows], rows)
    assert run.ask() is None
    assert len(joined(run, "utilities")) == 47


def test_without_candidates_there_is_nothing_to_see():
    y = np.where(np.arange(60) == 7, -1, TRUTH)
    run = make_run(y, strategy="margin", holdout_fraction=0.9)
    assert run.holdout.rows.tolist() == [7]
    assert list(look(run)) == []
