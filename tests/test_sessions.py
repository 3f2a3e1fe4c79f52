"""Sessions: what is known of a pool outlives runs and processes."""

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression

from skactive import ActiveLearningClassifier, LabelingLoop, Session
from skactive.exceptions import OracleError, SavedLoopError
from skactive.oracles import CachedOracle

X, TRUTH = make_classification(
    400, 6, n_informative=4, n_redundant=0, flip_y=0.1, random_state=0
)
IDS = np.array([f"row-{i}" for i in range(400)])
Y = np.where(np.arange(400) < 6, TRUTH, -1)


class Person:
    """Answers with the truth, skips some rows, and remembers each question."""

    def __init__(self, skips=()):
        self.asked = []
        self.skips = set(skips)

    def __call__(self, X, sample_ids):
        self.asked += sample_ids.tolist()
        numbers = [int(name.split("-")[1]) for name in sample_ids]
        return [None if n in self.skips else TRUTH[n] for n in numbers]


def make_clf(**params):
    defaults = {"batch_size": 5, "budget": 20, "random_state": 0}
    return ActiveLearningClassifier(LogisticRegression(), **defaults | params)


def fit(path, person, X=X, y=Y, ids=IDS, **params):
    clf = make_clf(oracle=person, **params)
    return clf.fit(X, y, sample_ids=ids, session=path)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "labels.sqlite"


# The budget, the history, skips


def test_the_budget_counts_the_whole_session(path):
    person = Person()
    first = fit(path, person)
    again = fit(path, person)
    assert len(person.asked) == 20
    assert again.query_indices_.tolist() == first.query_indices_.tolist()
    np.testing.assert_array_equal(again.estimator_.coef_, first.estimator_.coef_)
    more = fit(path, person, budget=30)
    assert len(person.asked) == len(set(person.asked)) == more.n_queries_ == 30
    assert [r["round"] for r in more.history_] == [1, 2, 3, 4, 5, 6, 7]
    assert more.history_[:4] == first.history_[:4]
    assert (
        more.labeled_iter_[more.query_indices_].tolist()
        == np.repeat(range(1, 7), 5).tolist()
    )


def test_y_may_have_the_labels_of_the_session(path):
    person = Person()
    first = fit(path, person)
    again = fit(path, person, y=first.transduction_)
    assert len(person.asked) == 20
    assert again.n_queries_ == 20
    assert (again.labeled_iter_ > 0).sum() == 20


@pytest.mark.parametrize("other", [{"strategy": "entropy"}, {"random_state": 7}])
def test_another_strategy_or_seed_learns_from_all_labels(path, other):
    person = Person()
    fit(path, person)
    more = fit(path, person, budget=25, **other)
    assert len(set(person.asked)) == 25
    assert more.history_[4]["n_labeled"] == 26  # 6 given, 20 bought before
    known = np.isin(IDS, person.asked) | (Y != -1)
    expected = LogisticRegression().fit(X[known], TRUTH[known])
    np.testing.assert_allclose(more.estimator_.coef_, expected.coef_, atol=1e-4)


def test_skipped_rows_are_not_asked_again_until_the_user_says_so(path):
    person = Person(skips=range(0, 400, 3))
    for budget in (20, 40, 60, 80):
        fit(path, person, budget=budget, random_state=budget)
    assert len(person.asked) == len(set(person.asked)) == 80
    with Session(path) as session:
        skipped = session.skipped()
        assert set(skipped) == {n for n in person.asked if int(n[4:]) % 3 == 0}
        session.ask_again(skipped[:2])
    person.skips = set()
    clf = fit(path, person, budget=85)
    assert sorted(person.asked[80:82]) == sorted(skipped[:2])
    assert clf.history_[16]["strategy"] == "again"
    assert clf.n_queries_ == 85
    with Session(path) as session:
        assert session.labels().keys() >= set(skipped[:2])
        assert session.skipped() == skipped[2:]


def test_a_killed_process_has_paid_for_what_it_asked_only_once(path):
    class Dies(Person):
        def __call__(self, X, sample_ids):
            for name in sample_ids:
                if len(self.asked) == 13:
                    raise KeyboardInterrupt
                self.asked.append(name)
                yield TRUTH[int(name.split("-")[1])]

    dying, person = Dies(), Person()
    with pytest.raises(KeyboardInterrupt):
        fit(path, dying)
    clf = fit(path, person)
    assert len(person.asked) == 7
    assert not set(person.asked) & set(dying.asked)
    assert clf.n_queries_ == 20
    rounds = [(r["round"], r["n_queried"]) for r in clf.history_]
    assert rounds == [(1, 5), (2, 5), (3, 3), (4, 2), (5, 5), (6, 0)]


def test_costs_go_on(path):
    cost, person = np.arange(400) / 4, Person()
    for budget in (10, 20):
        clf = make_clf(oracle=person, budget=budget)
        clf.fit(X, Y, sample_ids=IDS, session=path, cost=cost)
    expected = cost[clf.query_indices_].sum()
    assert clf.history_[-1]["total_cost"] == pytest.approx(expected)
    with Session(path) as session:
        assert session.summary()["cost"] == pytest.approx(expected)


# Labels on hand


def test_answers_that_were_bought_before_are_learnt_from_and_cost_nothing(path):
    person = Person()
    oracle = CachedOracle(person, path)
    make_clf(oracle=oracle, budget=60).fit(X, Y, sample_ids=IDS)
    assert len(person.asked) == 60
    clf = fit(path, person, strategy="entropy", random_state=3)
    assert len(set(person.asked)) == 80
    assert clf.n_queries_ == 20
    assert clf.n_unasked_ == 60
    assert clf.history_[0]["n_labeled"] == 66
    oracle.close()


def test_a_cached_oracle_and_a_session_share_a_file(path):
    person = Person()
    oracle = CachedOracle(person, path, annotator="Ann")
    clf = make_clf(oracle=oracle)
    clf.fit(X, Y, sample_ids=IDS, session=Session(path, annotator="Bob"))
    assert {record["annotator"] for record in oracle.records()} == {"Ann"}
    assert oracle.summary()["n_contradictions"] == 0
    clf.set_params(budget=30).fit(X, Y, sample_ids=IDS, session=path)
    assert len(person.asked) == 30
    oracle.close()


def test_a_label_for_a_row_that_was_never_asked_is_counted_apart(path):
    loop = LabelingLoop(make_clf(), X, Y, sample_ids=IDS, session=path)
    query = loop.ask()
    other = next(name for name in IDS[6:] if name not in query.sample_ids)
    loop.tell([1], sample_ids=[other])
    loop.tell(TRUTH[query.indices], query=query)
    fitted = loop.finish()
    assert (fitted.n_queries_, fitted.n_unasked_) == (5, 1)
    assert fitted.labeled_iter_[IDS == other].tolist() == [0]
    assert other not in loop.ask().sample_ids
    again = LabelingLoop(make_clf(), X, Y, sample_ids=IDS, session=path).finish()
    assert (again.n_queries_, again.n_unasked_) == (5, 1)
    with Session(path) as session:
        assert session.summary()["n_unasked"] == 1


# A pool that changes


def test_rows_may_be_added_removed_and_reordered(path):
    person = Person(skips=range(0, 400, 4))
    first = fit(path, person, X[:200], Y[:200], IDS[:200], holdout_fraction=0.25)
    rng = np.random.default_rng(1)
    kept = rng.permutation(np.concatenate([np.arange(50, 200), np.arange(200, 400)]))
    clf = fit(
        path, person, X[kept], Y[kept], IDS[kept], budget=40, holdout_fraction=0.25
    )
    assert len(person.asked) == len(set(person.asked))
    gone = sum(name in IDS[:50] for name in person.asked)
    assert gone > 0
    assert clf.n_queries_ == 40
    assert clf.history_[:4] == first.history_[:4]
    # Those rows that are still there, in the order in which they were queried.
    there = [name for name in person.asked if name in IDS[kept]]
    assert IDS[kept][clf.query_indices_].tolist() == there
    known = dict(zip(IDS, TRUTH, strict=True))
    for row in clf.query_indices_:
        number = int(IDS[kept][row].split("-")[1])
        expected = -1 if number % 4 == 0 else known[IDS[kept][row]]
        assert clf.transduction_[row] == expected
    old = set(IDS[:200][first.holdout_indices_]) - set(IDS[:50])
    assert old <= set(IDS[kept][clf.holdout_indices_])


def test_the_history_budget_and_labels_do_not_depend_on_the_order_of_rows(path):
    order = np.random.default_rng(0).permutation(400)
    person = Person()
    fit(path, person)
    clf = fit(path, person, X[order], Y[order], IDS[order], budget=30)
    assert len(set(person.asked)) == 30
    asked = IDS[order][clf.query_indices_]
    assert asked.tolist() == person.asked
    np.testing.assert_array_equal(
        clf.transduction_[clf.query_indices_], TRUTH[order][clf.query_indices_]
    )


def test_a_new_class_may_come_in_a_later_session(path):
    fit(path, Person())
    loop = LabelingLoop(make_clf(budget=30), X, Y, sample_ids=IDS, session=path)
    query = loop.ask()
    loop.tell([2] * len(query), query=query)
    query = loop.ask()
    assert query.classes.tolist() == [0, 1, 2]
    assert loop.finish().classes_.tolist() == [0, 1, 2]


def test_equal_rows_of_a_session_stay_one_question(path):
    X_twice, y = np.vstack([X[:60], X[:60]]), np.full(120, -1)
    y[:6] = TRUTH[:6]
    ids, asked = np.arange(120), []

    def ask(X, sample_ids):
        asked.extend(sample_ids.tolist())
        return TRUTH[sample_ids % 60]

    for budget, seed in ((20, 0), (54, 1)):
        clf = make_clf(oracle=ask, budget=budget, equal_rows="once", random_state=seed)
        clf.fit(X_twice, y, sample_ids=ids, session=path)
    contents = [row % 60 for row in asked]
    assert len(contents) == len(set(contents)) == 54


# The test sample


def hold(path, seed, n_sessions=5, size=1500):
    """Return score, accuracy on new rows, and whether the interval has it."""
    X, truth = make_classification(
        size + 3000, 8, n_informative=4, n_redundant=0, flip_y=0.15, random_state=seed
    )
    y = np.where(np.arange(size) < 10, truth[:size], -1)
    for k in range(1, n_sessions + 1):
        clf = make_clf(
            oracle=lambda X, sample_ids: truth[sample_ids],
            budget=100 * k,
            batch_size=25,
            holdout_fraction=0.25,
            random_state=10 * seed + k,
        )
        clf.fit(X[:size], y, sample_ids=np.arange(size), session=path)
    rows = np.flatnonzero(clf.transduction_ != -1)
    rows = np.setdiff1d(rows, clf.holdout_indices_)
    model = LogisticRegression().fit(X[rows], truth[rows])
    accuracy = model.score(X[size:], truth[size:])
    low, high = clf.holdout_interval_
    return clf.holdout_score_, accuracy, low <= accuracy <= high


@pytest.mark.slow
def test_the_score_stays_honest_over_five_sessions(tmp_path):
    found = np.array([hold(tmp_path / f"{n}.sqlite", n) for n in range(40)])
    score, accuracy, covered = found.mean(axis=0)
    # Forty scores on 125 rows each have a standard error of 0.006.
    assert abs(score - accuracy) < 0.02
    assert covered >= 0.9


def test_the_first_sample_stays_and_is_never_trained_on(path):
    seen = []

    class Notes(LogisticRegression):
        def fit(self, X, y):
            seen.append(X.copy())
            return super().fit(X, y)

    samples = []
    for budget in (20, 40, 60):
        clf = ActiveLearningClassifier(
            Notes(),
            oracle=Person(),
            budget=budget,
            holdout_fraction=0.5,
            random_state=budget,
        )
        seen.clear()
        clf.fit(X, Y, sample_ids=IDS, session=path)
        samples.append(set(clf.holdout_indices_.tolist()))
        assert len(samples[-1]) == budget // 2
        held = {tuple(row) for row in X[clf.holdout_indices_]}
        for rows in seen[:-1]:  # the last fit is that on all labels
            assert not held & {tuple(row) for row in rows}
    assert samples[0] < samples[1] < samples[2]


def test_the_sample_stays_held_out_if_no_more_is_asked_for(path):
    first = fit(path, Person(), holdout_fraction=0.5)
    later = fit(path, Person(), budget=30, holdout_fraction=0.0)
    assert later.holdout_indices_.tolist() == first.holdout_indices_.tolist()
    assert 0 <= later.holdout_score_ <= 1


def test_the_sample_grows_by_uniform_draws_from_the_rows_as_they_were(tmp_path):
    # Of 40 rows, 10 are drawn at first and 10 later. Rows that the strategy has taken
    # in the meantime are drawn as often as others.
    rows, y = X[:40], np.full(40, -1)
    taken, drawn = np.zeros(40), np.zeros(40)
    for seed in range(20):
        path = tmp_path / f"{seed}.sqlite"
        for budget in (20, 40):
            clf = make_clf(
                oracle=Person(),
                budget=budget,
                holdout_fraction=0.5,
                random_state=seed,
                batch_size=10,
            ).fit(rows, y, sample_ids=IDS[:40], session=path)
            if budget == 20:
                first = set(clf.holdout_indices_)
                asked = set(clf.query_indices_) - first
        later = set(clf.holdout_indices_) - first
        taken += np.isin(np.arange(40), list(asked - later))
        drawn += np.isin(np.arange(40), list(later & asked))
    # Ten of thirty rows, ten of them taken: a third of these is drawn.
    assert abs(drawn.sum() / (drawn.sum() + taken.sum()) - 1 / 3) < 0.1


def test_rows_that_were_added_join_the_sample_when_it_grows(path):
    person = Person()
    fit(path, person, X[:100], Y[:100], IDS[:100], holdout_fraction=0.5, budget=40)
    clf = fit(path, person, budget=80, holdout_fraction=0.5)
    assert (clf.holdout_indices_ >= 100).sum() > 10


# Corrections


def test_a_correction_replaces_the_label_before_and_after_its_round_is_closed(path):
    loop = LabelingLoop(make_clf(), X, Y, sample_ids=IDS, session=path)
    query = loop.ask()
    rows = query.indices
    loop.tell([0, 0], indices=rows[:2])
    loop.correct([1], indices=rows[:1], annotator="Ann")  # the round is open
    loop.tell([0, 0, 0], indices=rows[2:])
    loop.correct([1, None], sample_ids=query.sample_ids[2:4])  # it is closed
    fitted = loop.finish()
    assert fitted.transduction_[rows].tolist() == [1, 0, 1, -1, 0]
    assert fitted.n_queries_ == 5
    assert [(c["old"], c["new"]) for c in fitted.corrections_] == [
        (0, 1),
        (0, 1),
        (0, None),
    ]
    known = np.flatnonzero(fitted.transduction_ != -1)
    expected = LogisticRegression().fit(X[known], fitted.transduction_[known])
    np.testing.assert_array_equal(fitted.estimator_.coef_, expected.coef_)
    assert rows[3] not in loop.ask().indices
    again = LabelingLoop(make_clf(), X, Y, sample_ids=IDS, session=path).finish()
    assert again.transduction_[rows].tolist() == [1, 0, 1, -1, 0]
    assert again.corrections_ == fitted.corrections_
    with Session(path) as session:
        first = session.corrections()[0]
        assert (first["old_label"], first["label"]) == (0, 1)
        assert first["annotator"] == "Ann"
        assert first["old_answered_at"] < first["corrected_at"]


def test_a_correction_in_another_process_reaches_a_loop_that_is_open(path):
    loop = LabelingLoop(make_clf(), X, Y, sample_ids=IDS, session=path)
    query = loop.ask()
    loop.tell(TRUTH[query.indices], query=query)
    name = query.sample_ids[0]
    wrong = 1 - int(TRUTH[query.indices[0]])
    with Session(path) as session:
        assert session.correct({name: wrong}) == 1
    loop.ask()
    assert loop.finish().transduction_[query.indices[0]] == wrong


def test_a_correction_of_a_session_must_be_a_label_of_its_type(path):
    fit(path, Person(), budget=5)
    with Session(path) as session:
        name, before = next(iter(session.labels())), session.labels()
        with pytest.raises(ValueError, match="cannot become a label of type int"):
            session.correct({name: "one"})
        assert session.labels() == before
        assert session.corrections() == []


def test_a_refused_correction_changes_nothing(path):
    loop = LabelingLoop(make_clf(classes=[0, 1]), X, Y, sample_ids=IDS, session=path)
    query = loop.ask()
    loop.tell(TRUTH[query.indices], query=query)
    with pytest.raises(OracleError, match="Nothing was corrected"):
        loop.correct([1, 2], indices=query.indices[:2])
    transduction = loop.finish().transduction_
    assert transduction[query.indices].tolist() == TRUTH[query.indices].tolist()


def test_a_row_that_is_asked_about_again_counts_and_replaces_its_label(path):
    loop = LabelingLoop(make_clf(budget=7), X, Y, sample_ids=IDS, session=path)
    query = loop.ask()
    loop.tell([0] * 5, query=query)
    loop.ask_again(sample_ids=query.sample_ids[:2])
    again = loop.ask()
    assert again.indices.tolist() == query.indices[:2].tolist()
    loop.tell([1, None], query=again)
    assert loop.ask() is None
    fitted = loop.finish()
    assert fitted.termination_condition_ == "budget"
    assert fitted.n_queries_ == 7
    assert fitted.transduction_[again.indices].tolist() == [1, 0]
    assert fitted.history_[1]["strategy"] == "again"
    assert len(fitted.corrections_) == 1


def test_only_answered_rows_can_be_asked_about_again(path):
    loop = LabelingLoop(make_clf(), X, Y, sample_ids=IDS, session=path)
    with pytest.raises(ValueError, match="no answer yet"):
        loop.ask_again(indices=[100])
    with Session(path) as session, pytest.raises(ValueError, match="no answers for"):
        session.ask_again(["row-100"])


# Files and errors


def test_a_session_needs_ids(path):
    with pytest.raises(ValueError, match="session needs sample_ids"):
        make_clf(oracle=len).fit(X, Y, session=path)


def test_labels_that_are_none_here_are_refused_before_anything_is_asked(path):
    fit(path, Person())
    person = Person()
    with pytest.raises(OracleError, match=r"not labels here.*task"):
        make_clf(oracle=person, classes=[0, 2]).fit(
            X, np.where(Y == 1, 2, Y), sample_ids=IDS, session=path
        )
    assert not person.asked


def test_another_label_in_y_is_warned_about(path):
    first = fit(path, Person())
    y = first.transduction_.copy()
    row = first.query_indices_[3]
    y[row] = 1 - y[row]
    with pytest.warns(UserWarning, match="1 rows have another label in y"):
        again = fit(path, Person(), y=y)
    assert again.transduction_[row] == first.transduction_[row]


def test_tasks_in_one_file_do_not_mix(path):
    person = Person()
    fit(Session(path, task="a"), person)
    fit(Session(path, task="b"), person)
    assert len(person.asked) == 40
    assert len(Session(path, task="a").labels()) == 20


def test_a_loop_that_was_saved_with_ids_goes_on_as_a_session(path):
    loop = LabelingLoop(make_clf(), X, Y, sample_ids=IDS)
    query = loop.ask()
    loop.tell(TRUTH[query.indices])
    loop.save(path)
    last = slice(None, None, -1)
    again = LabelingLoop(
        make_clf(), X[last], Y[last], sample_ids=IDS[last], session=path
    )
    assert not set(again.ask().sample_ids) & set(query.sample_ids)
    assert again.finish().n_queries_ == 5
    with pytest.raises(SavedLoopError, match="is a session"):
        LabelingLoop.load(path, make_clf(), X, Y, sample_ids=IDS)


def test_a_loop_that_was_saved_without_ids_is_no_session(path):
    loop = LabelingLoop(make_clf(), X, Y)
    loop.save(path)
    with pytest.raises(SavedLoopError, match="without sample_ids"):
        LabelingLoop(make_clf(), X, Y, sample_ids=IDS, session=path)


def test_a_loop_in_a_session_can_be_saved_to_its_file_only(path, tmp_path):
    loop = LabelingLoop(make_clf(), X, Y, sample_ids=IDS, session=path)
    query = loop.ask()
    loop.tell(TRUTH[query.indices], query=query)
    loop.save(path)  # nothing is left to write
    with pytest.raises(ValueError, match="every answer is saved at once"):
        loop.save(tmp_path / "other.db")
    assert len(Session(path).labels()) == 5
    assert not (tmp_path / "other.db").exists()


def test_two_runs_on_one_session_cannot_both_begin_rounds(path):
    loops = [
        LabelingLoop(make_clf(), X, Y, sample_ids=IDS, session=path) for _ in range(2)
    ]
    query = loops[0].ask()
    with pytest.raises(SavedLoopError, match="was continued in another process"):
        loops[1].ask()
    loops[0].tell(TRUTH[query.indices], query=query)
    assert len(Session(path).labels()) == 5


def test_the_rounds_of_the_queries_go_on_without_the_rows_that_are_gone(path):
    person = Person()
    fit(path, person, X[:200], Y[:200], IDS[:200])
    clf = fit(path, person, X[100:], Y[100:], IDS[100:], budget=30)
    assert clf.n_queries_ == 30
    assert len(clf.query_rounds_) == len(clf.query_indices_) < 30
    for row, number in zip(clf.query_indices_, clf.query_rounds_, strict=True):
        position = person.asked.index(IDS[100:][row])
        assert number == position // 5 + 1


def test_rows_that_were_handed_out_before_a_restart_are_the_first_ones_after_it(path):
    def reopen():
        return LabelingLoop(make_clf(), X, Y, sample_ids=IDS, session=path)

    loop = reopen()
    query = loop.ask()
    loop.tell(TRUTH[query.indices[:2]], indices=query.indices[:2])
    loop = reopen()  # the process has ended, and with it the leases
    loop.tell(TRUTH[query.indices[2:3]], indices=query.indices[2:3])
    assert loop.finish().n_queries_ == 3
    again = loop.ask()
    assert again.indices.tolist() == query.indices[3:].tolist()
    loop.tell(TRUTH[again.indices], query=again)
    while (query := loop.ask()) is not None:
        loop.tell(TRUTH[query.indices], query=query)
    fitted = loop.finish()
    assert (fitted.n_queries_, fitted.n_unasked_) == (20, 0)
    assert fitted.query_rounds_.tolist()[:5] == [1, 1, 1, 2, 2]
    assert (fitted.labeled_iter_ > 0).sum() == 20
    other = reopen().finish()
    assert other.query_indices_.tolist() == fitted.query_indices_.tolist()
    assert other.labeled_iter_.tolist() == fitted.labeled_iter_.tolist()


def test_a_correction_of_a_row_that_is_being_asked_about_is_its_answer(path):
    loop = LabelingLoop(make_clf(), X, Y, sample_ids=IDS, session=path)
    query = loop.ask()
    loop.correct(TRUTH[query.indices], indices=query.indices)
    assert loop.ask().round == 2
    assert loop.finish().n_queries_ == 5
    assert not loop.finish().corrections_


def test_answers_that_contradict_the_first_one_are_in_the_audit_and_in_doubt(path):
    loop = LabelingLoop(make_clf(budget=40), X, Y, sample_ids=IDS, session=path)
    while (query := loop.ask()) is not None:
        loop.tell(TRUTH[query.indices], query=query)
    row = int(query_row(loop))
    with pytest.warns(UserWarning, match="already"):
        loop.tell([1 - TRUTH[row]], indices=[row], annotator="Eve")
    doubts = {doubt.index: doubt for doubt in loop.doubtful()}
    assert doubts[row].other_answers == ((1 - TRUTH[row], "Eve"),)
    assert Session(path).labels()[IDS[row]] == TRUTH[row]


def query_row(loop):
    return loop.finish().query_indices_[0]


def test_stored_skips_cost_no_budget_and_stored_labels_do(path):
    person = Person(skips=range(0, 400, 4))
    oracle = CachedOracle(person, path)
    clf = make_clf(oracle=oracle)
    first = clf.fit(X, Y, sample_ids=IDS).query_indices_.tolist()
    n_skipped = sum(row % 4 == 0 for row in first)
    assert n_skipped > 0
    again = clf.fit(X, Y, sample_ids=IDS)
    # The same rows, and then new ones in place of those that were skipped.
    assert again.query_indices_[:20].tolist() == first
    assert len(person.asked) == 20 + n_skipped
    assert len(person.asked) == len(set(person.asked))
    assert again.n_queries_ == 20 + n_skipped
    oracle.close()


def test_a_correction_of_an_unknown_row_is_refused(path):
    fit(path, Person())
    with Session(path) as session, pytest.raises(ValueError, match="no answers for"):
        session.correct({"row-9999": 1})


# Where a user is easily wrong


def test_ids_of_another_type_are_refused_before_anything_is_asked(path):
    numbers, texts = np.arange(400), np.arange(400).astype(str)
    asked = []

    def ask(X, sample_ids):
        asked.extend(sample_ids.tolist())
        return TRUTH[sample_ids.astype(int)]

    fit(path, ask, ids=numbers)
    with pytest.raises(ValueError, match=r"Only the type differs: '.*' is of type str"):
        fit(path, ask, ids=texts, budget=40)
    assert len(asked) == 20


def test_a_pool_without_any_row_of_the_session_is_warned_about(path):
    first = fit(path, Person(), X=X[:200], y=Y[:200], ids=IDS[:200])
    with pytest.warns(UserWarning, match="None of the 20 rows that have an answer"):
        other = fit(path, Person(), X=X[200:], y=Y[:200], ids=IDS[200:])
    assert first.n_queries_ == other.n_queries_ == 20


@pytest.mark.parametrize("wrong", ["row-7", 7, np.str_("row-7")])
def test_one_id_in_place_of_a_list_is_named(path, wrong):
    fit(path, Person())
    with Session(path) as session:
        with pytest.raises(TypeError, match=r"must be a list of ids, got .*7'?; pass"):
            session.ask_again(wrong)
        with pytest.raises(TypeError, match="must be a mapping from sample ids"):
            session.correct([wrong])


def test_the_summary_counts_the_rows_that_wait_to_be_asked_again(path):
    person = Person()
    fit(path, person)
    with Session(path, annotator="Ann") as session:
        session.ask_again(person.asked[:3])
        assert session.summary()["n_to_ask_again"] == 3
        assert session.entries()[-1]["by"] == "Ann"
        fit(path, person, budget=22)
        assert session.summary()["n_to_ask_again"] == 1


class Changing(Person):
    """Answers 0 first, and 1 if it is asked again; one by one, if so wanted."""

    def __init__(self, one_by_one):
        super().__init__()
        self.one_by_one = one_by_one

    def __call__(self, X, sample_ids):
        answers = self._answers(sample_ids.tolist())
        return answers if self.one_by_one else list(answers)

    def _answers(self, names):
        for name in names:
            self.asked.append(name)
            yield self.asked.count(name) - 1


@pytest.mark.parametrize("in_one_file", [True, False])
@pytest.mark.parametrize("one_by_one", [True, False])
def test_a_cached_oracle_does_not_repeat_an_answer_that_is_to_be_checked(
    path, tmp_path, one_by_one, in_one_file
):
    person = Changing(one_by_one)
    oracle = CachedOracle(person, path if in_one_file else tmp_path / "other.sqlite")
    fit(path, oracle)
    again = person.asked[:2]
    with Session(path) as session:
        session.ask_again(again)
        clf = fit(path, oracle, budget=22)
        assert person.asked[20:] == again
        assert {session.labels()[name] for name in again} == {1}
        pairs = [(r["old"], r["new"]) for r in clf.corrections_]
        assert pairs == [(0, 1), (0, 1)]
        # A row costs 1; these were paid for twice.
        assert oracle.summary()["cost"] == 22
        assert oracle.summary()["n_claimed"] == 0
    oracle.close()


def test_a_cached_oracle_asks_again_about_the_skipped_rows_of_a_session(path):
    person = Person(skips=range(0, 400, 2))
    oracle = CachedOracle(person, path)
    fit(path, oracle)
    with Session(path) as session:
        skipped, person.skips = session.skipped(), set()
    assert oracle.ask_again(skipped) == len(skipped) > 2
    clf = fit(path, oracle, budget=20 + len(skipped))
    assert person.asked[20:] == skipped
    assert (clf.transduction_[clf.query_indices_] >= 0).all()
    oracle.close()


def test_a_loop_whose_session_has_gone_on_hands_out_no_more_rows(path):
    mine = LabelingLoop(make_clf(), X, Y, sample_ids=IDS, session=path)
    query = mine.ask(2, worker="Ann")
    LabelingLoop(make_clf(), X, Y, sample_ids=IDS, session=path).ask()
    with pytest.raises(SavedLoopError, match="was continued in another"):
        mine.tell(TRUTH[query.indices], query=query)
    with pytest.raises(SavedLoopError, match="was continued in another"):
        mine.ask(2, worker="Bob")


def test_an_imported_class_that_is_spelt_otherwise_is_warned_about(path):
    names = np.array(["no", "yes"])

    def ask(X, sample_ids):
        return [str(names[TRUTH[int(name.split("-")[1])]]) for name in sample_ids]

    given = {"y": np.full(400, None), "missing_label": None}
    clf = fit(path, ask, **given)
    left = next(name for name in IDS if name not in IDS[clf.query_indices_])
    oracle = CachedOracle(ask, path)
    oracle.import_labels({"sample_id": [left], "label": ["Yes "]})
    oracle.close()
    number = left.split("-")[1]
    with pytest.warns(
        UserWarning, match=rf"'Yes ' for row {number} \(sample_id '{left}"
    ):
        fit(path, ask, **given)
