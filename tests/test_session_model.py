"""Sessions beside a simple model of them, over random operations."""

import copy

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skactive import ActiveLearningClassifier, LabelingLoop, Session
from skactive._loop.result import current_attributes

N_ROWS = 60
POINTS = np.random.default_rng(0).normal(size=(N_ROWS, 2))
TRUTH = (POINTS[:, 0] > 0).astype(int)
GIVEN = [int(np.argmax(TRUTH == 0)), int(np.argmax(TRUTH == 1))]
NO_ROUND = {"rows": [], "told": [], "number": None, "again": False}


class Model:
    """What a session should hold, in dicts and lists; rows are known by number."""

    def __init__(self):
        self.labels = {row: int(TRUTH[row]) for row in GIVEN}  # those of y, too
        self.answered = set()  # rows whose answer is in the file
        self.skipped = set()
        self.queried = []  # (row, round), of closed rounds
        self.first_round = {}
        self.left_over = {}
        self.queue = []
        self.records = []  # (number of rows, abstentions, cost)
        self.late_cost = 0.0
        self.corrections = []
        self.sample = []
        self.open = dict(NO_ROUND)

    @property
    def n_queries(self):
        return len(self.queried) + len(self.open["told"])

    @property
    def cost(self):
        told = sum(row + 1 for row in self.open["told"])
        return sum(cost for *_, cost in self.records) + self.late_cost + told

    def all_queried(self):
        order = [row for row in self.open["rows"] if row in self.open["told"]]
        return self.queried + [(row, self.open["number"]) for row in order]

    def begin_round(self, rows, number):
        again = any(row in self.queue for row in rows)
        self.open = {"rows": rows, "told": [], "number": number, "again": again}
        for row in rows:
            self.left_over.pop(row, None)
            self.first_round.setdefault(row, number)

    def tell(self, row, label):
        opened = self.open
        is_open = row in opened["rows"] and row not in opened["told"]
        if row in self.left_over:
            self.first_round[row] = self.left_over.pop(row)
            self.queried.append((row, self.first_round[row]))
            self.late_cost += row + 1
        if is_open or row not in self.labels:
            self.answered.add(row)
        if is_open:
            opened["told"].append(row)
        if is_open and opened["again"]:
            self.queue.remove(row)
            if row in self.labels and label not in (None, self.labels[row]):
                self.corrections.append((row, self.labels[row], label))
                self.labels[row] = label
        if row not in self.labels:
            if label is None:
                self.skipped.add(row)
            else:
                self.labels[row] = label
                self.skipped.discard(row)
        if opened["rows"] and len(opened["told"]) == len(opened["rows"]):
            self.close()

    def correct(self, row, label):
        if row in self.open["rows"] and row not in self.open["told"]:
            return self.tell(row, label)
        old = self.labels.pop(row, None)
        if old != label or (row not in self.answered and row not in GIVEN):
            self.corrections.append((row, old, label))
            self.answered.add(row)
        if label is None:
            self.skipped.add(row)
        else:
            self.labels[row] = label
            self.skipped.discard(row)
        return None

    def ask_again(self, row):
        if row not in self.queue:
            self.queue.append(row)

    def close(self):
        opened, told = (
            self.open,
            [r for r in self.open["rows"] if r in self.open["told"]],
        )
        if told:
            self.queried += [(row, opened["number"]) for row in told]
            skips = sum(row not in self.labels for row in told)
            self.records.append((len(told), skips, float(sum(r + 1 for r in told))))
        self.open = dict(NO_ROUND)
        for row in opened["rows"]:
            if row not in told and self.first_round.get(row) == opened["number"]:
                del self.first_round[row]

    def restart(self):
        left = [row for row in self.open["rows"] if row not in self.open["told"]]
        number, again = self.open["number"], self.open["again"]
        self.close()
        if not again:
            self.left_over |= dict.fromkeys(left, number)


class Play:
    """Does random things with a session and with its model, and compares them."""

    def __init__(self, seed, path):
        self.rng = np.random.default_rng(seed)
        self.path, self.model = path, Model()
        self.rows = np.arange(40)
        self.budget = 12
        self.loop = self.opened()

    def opened(self, random_state=0, strategy="margin", holdout=0.0, batch=3):
        y = np.full(N_ROWS, -1)
        y[GIVEN] = TRUTH[GIVEN]
        clf = ActiveLearningClassifier(
            LogisticRegression(),
            strategy=strategy,
            batch_size=batch,
            budget=self.budget,
            holdout_fraction=holdout,
            random_state=random_state,
        )
        self.inputs = clf, POINTS[self.rows], y[self.rows]
        self.kept = {"sample_ids": self.rows + 100, "cost": self.rows + 1.0}
        return LabelingLoop(*self.inputs, **self.kept, session=self.path)

    def restart(self):
        rng, asked = self.rng, [row for row, _ in self.model.all_queried()]
        if rng.random() < 0.5:  # rows are added, removed, and in another order
            n_rows = rng.integers(35, N_ROWS)
            rows = rng.permutation(N_ROWS)[:n_rows]
            self.rows = rng.permutation(np.union1d(rows, GIVEN))
        self.budget = max(self.budget, len(asked)) + int(rng.integers(4))
        self.model.restart()
        self.loop = self.opened(
            random_state=int(rng.integers(9)),
            strategy=str(rng.choice(["margin", "random", "k_center"])),
            holdout=float(rng.choice([0.0, 0.3])),
            batch=int(rng.integers(1, 5)),
        )

    def ids(self, rows):
        return [int(row) + 100 for row in rows]

    def answer(self, row):
        value = self.rng.random()
        return None if value < 0.2 else int(TRUTH[row] ^ (value < 0.3))

    def ask(self):
        worker = None if self.rng.random() < 0.5 else str(self.rng.choice(["a", "b"]))
        query = self.loop.ask(worker=worker)
        opened = self.loop._run.rounds.open
        if query is None:
            left = self.budget - self.model.n_queries
            assert left <= 0 or self.loop._run.condition in ("all_labeled", "all_asked")
            return
        rows = self.rows[opened.rows].tolist()
        if rows != self.model.open["rows"]:
            assert not self.model.open["rows"]  # the round before is closed
            first = [r for r in self.model.left_over if r in self.rows]
            first = [
                r
                for r in first
                if r not in self.model.labels.keys() | self.model.skipped
            ]
            queue = [row for row in self.model.queue if row in self.rows]
            if first or queue:
                assert rows == (first or queue)[: len(rows)]
            else:
                settled = self.model.labels.keys() | self.model.skipped
                assert not settled.intersection(rows)
            assert len(rows) <= self.budget - self.model.n_queries
            number = len(self.model.records) + 1
            self.model.begin_round(rows, number)
            # No model is trained on the test sample.
            assert not opened.pool.labeled[self.loop._run.holdout.mask].any()
            if not self.model.sample or len(self.loop._run.holdout) > 0:
                self.note_sample()
        left = [row for row in rows if row not in self.model.open["told"]]
        asked = self.rows[query.indices].tolist()
        assert asked == left if worker is None else set(asked) <= set(left)

    def note_sample(self):
        sample = self.rows[self.loop._run.holdout.rows].tolist()
        before = [row for row in self.model.sample if row in self.rows]
        assert sample[: len(before)] == before  # the sample stays
        self.model.sample += sample[len(before) :]

    def tell(self):
        left = [r for r in self.model.open["rows"] if r not in self.model.open["told"]]
        if self.rng.random() < 0.2:
            left = [int(self.rng.choice(self.rows))]
        if not left:
            return
        rows = self.rng.permutation(left)[
            : self.rng.integers(1, len(left) + 1)
        ].tolist()
        labels = [self.answer(row) for row in rows]
        if self.rng.random() < 0.5:
            self.loop.tell(labels, sample_ids=self.ids(rows))
        else:
            where = {row: place for place, row in enumerate(self.rows.tolist())}
            self.loop.tell(labels, indices=[where[row] for row in rows])
        self.note_begun()
        for row, label in zip(rows, labels, strict=True):
            self.model.tell(row, label)

    def note_begun(self):
        # The sample is in the file as soon as anything is.
        self.note_sample()

    def correct(self):
        row = int(self.rng.choice(self.rows))
        label = self.answer(row)
        outside = self.rng.random() < 0.5
        if not outside:
            self.loop.correct([label], sample_ids=self.ids([row]))
            self.note_begun()
        else:
            with Session(self.path) as session:
                if row + 100 not in session._answers():
                    return
                session.correct({row + 100: label})
            self.loop._run.commit()  # as its next ask or tell does
            self.note_begun()
        if not outside or self.model.labels.get(row) != label:
            self.model.correct(row, label)

    def ask_again(self):
        known = (self.model.labels.keys() | self.model.skipped) - set(
            self.model.open["rows"]
        ) | set(self.model.open["told"])
        known = sorted(known.intersection(self.rows.tolist()))
        if not known:
            return
        row = int(self.rng.choice(known))
        with Session(self.path) as session:
            is_there = row + 100 in session._answers()
            if is_there and self.rng.random() < 0.5:
                session.ask_again(self.ids([row]))
                self.loop._run.commit()
            else:
                self.loop.ask_again(sample_ids=self.ids([row]))
        self.note_begun()
        self.model.ask_again(row)

    def step(self):
        names = ["ask", "tell", "correct", "ask_again", "restart"]
        name = str(self.rng.choice(names, p=[0.35, 0.35, 0.1, 0.1, 0.1]))
        getattr(self, name)()
        self.compare(self.loop, self.model)
        restarted = copy.deepcopy(self.model)
        restarted.restart()
        fresh = LabelingLoop(*self.inputs, **self.kept, session=self.path)
        self.compare(fresh, restarted)
        self.compare_file(restarted)
        return name

    def compare(self, loop, model):
        found = current_attributes(loop._run)
        here = {row: place for place, row in enumerate(self.rows.tolist())}
        labels = np.full(len(self.rows), -1)
        iters = np.full(len(self.rows), -1)
        for row, label in model.labels.items():
            if row in here:
                labels[here[row]] = label
                is_left = row in model.open["rows"] and row not in model.open["told"]
                first = model.first_round.get(row, 0)
                is_first = is_left and first == model.open["number"]
                iters[here[row]] = 0 if is_first else first
        np.testing.assert_array_equal(found["transduction_"], labels)
        given = [here[row] for row in GIVEN]  # 0 or, once replaced, their round
        same = np.delete(np.arange(len(iters)), given)
        np.testing.assert_array_equal(found["labeled_iter_"][same], iters[same])
        queried = [(row, number) for row, number in model.all_queried() if row in here]
        assert self.rows[found["query_indices_"]].tolist() == [r for r, _ in queried]
        assert found["query_rounds_"].tolist() == [number for _, number in queried]
        assert found["n_queries_"] == model.n_queries <= self.budget
        assert loop._run.rounds.total_cost == model.cost
        records = [
            (r["n_queried"], r["n_abstained"], r["cost"])
            for r in loop._run.rounds.history
        ]
        assert [n for n, *_ in records] == [n for n, *_ in model.records]
        assert [cost for *_, cost in records] == [cost for *_, cost in model.records]
        corrections = [
            (c["sample_id"] - 100, c["old"], c["new"]) for c in found["corrections_"]
        ]
        assert corrections == model.corrections
        settled = loop._run.ledger.settled
        skipped = [here[row] for row in model.skipped if row in here]
        assert settled[skipped].all()
        assert loop._run.queue == [here[row] for row in model.queue if row in here]

    def compare_file(self, model):
        with Session(self.path) as session:
            labels = {i - 100: label for i, label in session.labels().items()}
            summary = session.summary()
        expected = {r: k for r, k in model.labels.items() if r in model.answered}
        assert labels == expected
        assert summary["n_queries"] == summary["n_charged"] == model.n_queries
        assert summary["cost"] == model.cost
        assert summary["n_rounds"] == len(model.records)
        assert summary["n_holdout"] == len(model.sample)


@pytest.mark.filterwarnings("ignore:Row:UserWarning")
@pytest.mark.filterwarnings("ignore:. rows have another label:UserWarning")
@pytest.mark.parametrize("seed", range(4))
def test_a_session_does_what_a_simple_model_does(seed, tmp_path):
    play = Play(seed, tmp_path / "labels.sqlite")
    for _ in range(60):
        play.step()
