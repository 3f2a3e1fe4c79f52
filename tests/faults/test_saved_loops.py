"""Files of saved loops that break, and disks that are full: T48, T51, T53, T61."""

import json
import os
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
import zlib
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from skactive import LabelingLoop, Session
from skactive.exceptions import ActiveLearningError, SavedLoopError, StoreError
from skactive.oracles._store.store import LabelStore


@pytest.fixture
def loop(X, y, truth, make_clf):
    """A loop in the middle of its second round."""
    loop = LabelingLoop(make_clf(), X, y)
    loop.tell(truth[loop.ask().indices])
    rows = loop.ask().indices[:2]
    loop.tell(truth[rows], indices=rows)
    return loop


@pytest.fixture
def path(tmp_path, loop):
    """The file that this loop was saved in. Nobody has it open."""
    path = tmp_path / "loop.sqlite"
    loop.save(path)
    loop._run.saved_in.session.close()
    return path


def test_t61_a_resumed_loop_ends_with_the_rows_and_the_model_of_a_fit(
    X, y, truth, make_clf, path, logging_oracle
):
    fitted = make_clf(logging_oracle()).fit(X, y)
    loop = LabelingLoop.load(path, make_clf(), X, y)
    while (query := loop.ask()) is not None:
        loop.tell(truth[query.indices])
    resumed = loop.finish()
    assert resumed.query_indices_.tolist() == fitted.query_indices_.tolist()
    np.testing.assert_array_equal(resumed.estimator_.coef_, fitted.estimator_.coef_)
    np.testing.assert_array_equal(resumed.labeled_iter_, fitted.labeled_iter_)


def test_t61_a_loop_may_be_loaded_twice_and_the_file_stays(X, y, make_clf, path):
    before = path.read_bytes()
    first = LabelingLoop.load(path, make_clf(), X, y).ask()
    second = LabelingLoop.load(path, make_clf(), X, y).ask()
    assert first.indices.tolist() == second.indices.tolist()
    assert path.read_bytes() == before


def sql(path, query, values=()):
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute(query, values).fetchall()
        connection.commit()
    return found


def entry(path, position):
    query = "SELECT entry FROM log WHERE position = ?"
    return json.loads(sql(path, query, (position,))[0][0])


def write_entry(path, position, text, *, with_checksum):
    """Write an entry of the log, with a checksum that fits or with the old one."""
    query = "UPDATE log SET entry = ? WHERE position = ?"
    sql(path, query, (text, position))
    if with_checksum:
        kept = zlib.crc32(json.dumps(["default", position, text]).encode())
        query = "UPDATE log SET checksum = ? WHERE position = ?"
        sql(path, query, (kept, position))


@pytest.mark.parametrize("version", [3, 0, 2**31 - 1])
def test_t51_a_file_of_another_version_is_refused_and_left_alone(
    X, y, make_clf, loop, path, version
):
    path = shutil.copy(path, path.with_name("copy.sqlite"))  # seen for the first time
    sql(path, f"PRAGMA user_version = {version}")
    before = path.read_bytes()
    message = f"has the format {version}, and"
    with pytest.raises(SavedLoopError, match=message):
        LabelingLoop.load(path, make_clf(), X, y)
    with pytest.raises(SavedLoopError, match=message) as caught:
        loop.save(path)
    assert len(caught.value.labels) == 6
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"garbage",
        b"\xff\xfe\x00",
        b'{"format": "skac',
        b"[" * 100_000,
        b"SQLite format 3\0",
        b"SQLite format 3\0" + 984 * b"\0",
    ],
    ids=["empty", "text", "binary", "cut", "deep", "header", "zeros"],
)
def test_t53_a_file_that_is_no_saved_loop_is_refused(X, y, make_clf, tmp_path, data):
    path = tmp_path / "loop.sqlite"
    path.write_bytes(data)
    with pytest.raises(SavedLoopError, match=r"is not a|is a database of another"):
        LabelingLoop.load(path, make_clf(), X, y)
    assert path.read_bytes() == data
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("data", ["[]", "3", "{}", '{"format": "other"}', "null"])
def test_t53_a_foreign_file_is_refused(X, y, make_clf, tmp_path, data):
    path = tmp_path / "loop.json"
    path.write_text(data)
    with pytest.raises(SavedLoopError, match="is JSON, but not a saved loop"):
        LabelingLoop.load(path, make_clf(), X, y)
    assert path.read_text() == data


def test_t53_a_store_without_a_loop_is_refused(X, y, make_clf, tmp_path):
    path = tmp_path / "labels.sqlite"
    with Session(path) as session:
        session.store.record("default", {'"a"': 1}, "Ann")
    before = path.read_bytes()
    with pytest.raises(SavedLoopError, match="holds no saved loop"):
        LabelingLoop.load(path, make_clf(), X, y)
    assert path.read_bytes() == before


def test_t53_a_session_is_not_loaded_but_named(X, y, truth, make_clf, tmp_path):
    path = tmp_path / "labels.sqlite"
    loop = LabelingLoop(make_clf(), X, y, sample_ids=range(21), session=path)
    rows = loop.ask().indices
    loop.tell(truth[rows])
    with pytest.raises(SavedLoopError, match=r"is a session, .* session=") as caught:
        LabelingLoop.load(path, make_clf(), X, y, sample_ids=range(21))
    assert caught.value.indices.tolist() == rows.tolist()


def test_t53_a_file_cut_anywhere_is_refused_or_whole(X, y, make_clf, path):
    data, n_refused = path.read_bytes(), 0
    asked = LabelingLoop.load(path, make_clf(), X, y).ask().indices.tolist()
    for number, size in enumerate(range(0, len(data), 1531)):
        cut = path.with_name(f"cut-{number}")
        cut.write_bytes(data[:size])
        try:
            loop = LabelingLoop.load(cut, make_clf(), X, y)
        except SavedLoopError:
            n_refused += 1
            assert cut.read_bytes() == data[:size]
        else:  # the last page had nothing at its end
            assert len(data) - size < 4096
            assert loop.ask().indices.tolist() == asked
    assert n_refused > number - 3


def test_t53_a_changed_label_is_noticed_and_the_labels_come_with_the_error(
    X, y, truth, make_clf, path
):
    told = entry(path, 2)
    told["labels"][0] = 1 - told["labels"][0]
    write_entry(path, 2, json.dumps(told), with_checksum=False)
    before = path.read_bytes()
    with pytest.raises(SavedLoopError, match=r"entry 2 of .* checksum") as caught:
        LabelingLoop.load(path, make_clf(), X, y)
    rows, labels = caught.value.indices, caught.value.labels
    assert (labels == truth[rows]).tolist() == [False, True, True, True, True, True]
    assert path.read_bytes() == before


def test_t53_the_labels_of_a_file_with_ids_are_in_the_error_even_if_the_log_is_gone(
    X, y, truth, make_clf, tmp_path
):
    names = [f"row {i}" for i in range(21)]
    loop = LabelingLoop(make_clf(), X, y, sample_ids=names)
    rows = loop.ask().indices
    loop.tell(truth[rows])
    loop.save(path := tmp_path / "loop.sqlite")
    sql(path, "DELETE FROM log WHERE position = 2")
    with pytest.raises(SavedLoopError, match="has no entry 2") as caught:
        LabelingLoop.load(path, make_clf(), X, y, sample_ids=names)
    found = dict(zip(caught.value.indices, caught.value.labels, strict=True))
    assert found == {names[row]: truth[row] for row in rows}


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "3", "[" * 100_000], ids=lambda text: text[:9]
)
@pytest.mark.parametrize("with_checksum", [True, False])
def test_t53_an_entry_that_is_no_entry_is_refused(
    X, y, truth, make_clf, path, text, with_checksum
):
    write_entry(path, 4, text, with_checksum=with_checksum)
    with pytest.raises(SavedLoopError, match="entry 4 of the log") as caught:
        LabelingLoop.load(path, make_clf(), X, y)
    np.testing.assert_array_equal(caught.value.labels, truth[caught.value.indices])
    assert len(caught.value.labels) == 6


TAMPERED = [
    (0, {"seed": -1}, "entry 0 of its log has no valid seed"),
    (0, {"made_of": {}}, "does not say what it was made of"),
    (0, {"made_of": None}, "does not say what it was made of"),
    (0, {"kind": "other"}, "entry 0 .* unknown kind 'other'"),
    (0, {"kind": None}, "entry 0 .* unknown kind None"),
    (1, {"rows": None}, "entry 1 .* no valid rows"),
    (1, {"rows": [1, 2, 3, 4]}, "cannot be replayed: in round 1"),
    (1, {"record": {}}, "entry 1 .* no valid record"),
    (1, {"probabilities": [0.5]}, "probabilities for each row"),
    (1, {"strategy": "random"}, "in round 1 'random' selected, but now"),
    (2, {"labels": [1]}, "not have one of its labels for each row"),
    (2, {"labels": [[1]] * 4}, "entry 2 .* no valid labels"),
    (2, {"labels": [10**30] * 4}, "entry 2 .* no valid labels"),
    (2, {"labels": ["x"] * 4}, "the answer 'x' for row 10 is not valid"),
    (2, {"rows": [99] * 4}, "X has no row 99"),
    (2, {"rows": [-1] * 4}, "X has no row -1"),
    (2, {"rows": [10**30] * 4}, "X has no row 1000"),
    (2, {"rows": ["x"] * 4}, "X has no row 'x'"),
    (2, {"rows": [True] * 4}, "entry 2 .* no valid rows"),
    (2, {"free": [99]}, "X has no row 99"),
    (2, {"kind": "end", "condition": "budget", "n_seen": 2}, "cannot be replayed"),
    (3, {"record": {"fit_seconds": "x"}}, "entry 3 .* no valid record"),
]


@pytest.mark.parametrize(("position", "changes", "message"), TAMPERED, ids=str)
def test_t53_a_tampered_entry_with_its_checksum_is_refused_with_the_labels(
    X, y, truth, make_clf, path, position, changes, message
):
    changed = entry(path, position) | changes
    write_entry(path, position, json.dumps(changed), with_checksum=True)
    before = path.read_bytes()
    with pytest.raises(SavedLoopError, match=message) as caught:
        LabelingLoop.load(path, make_clf(), X, y)
    # At least the labels of the second round are there.
    found = dict(zip(caught.value.indices, caught.value.labels, strict=True))
    rows = entry(path, 5)["rows"]
    assert [found[row] for row in rows] == truth[rows].tolist()
    assert path.read_bytes() == before


def test_t53_a_missing_file_and_a_folder_are_errors_of_the_system(
    X, y, make_clf, loop, tmp_path
):
    with pytest.raises(FileNotFoundError):
        LabelingLoop.load(tmp_path / "none.sqlite", make_clf(), X, y)
    with pytest.raises(OSError, match=re.escape(tmp_path.name)):
        LabelingLoop.load(tmp_path, make_clf(), X, y)
    with pytest.raises(FileNotFoundError):
        loop.save(tmp_path / "no folder" / "loop.sqlite")
    with pytest.raises(OSError) as caught:  # noqa: PT011
        loop.save(tmp_path)
    assert len(caught.value.labels) == 6
    assert list(tmp_path.iterdir()) == []


def test_t48_a_full_disk_leaves_the_file_as_it_was_and_the_error_has_the_labels(
    X, y, truth, make_clf, loop, path
):
    before = LabelingLoop.load(path, make_clf(), X, y).ask().indices.tolist()
    rows = loop.ask().indices
    # A text that needs more pages than there are: SQLite says that the disk is full.
    loop.tell(truth[rows], indices=rows, annotator="Ann" * 10_000)
    with loop._run.saved_in.session.store._reading() as run:
        (n_pages,) = run("PRAGMA page_count").fetchone()
        run(f"PRAGMA max_page_count = {n_pages}")
    with pytest.raises(SavedLoopError, match="is full") as caught:
        loop.save(path)
    assert caught.value.labels.tolist() == truth[caught.value.indices].tolist()
    assert len(caught.value.labels) == 8
    assert before == LabelingLoop.load(path, make_clf(), X, y).ask().indices.tolist()
    with loop._run.saved_in.session.store._reading() as run:
        run("PRAGMA max_page_count = 100000")
    loop.save(path)
    assert LabelingLoop.load(path, make_clf(), X, y).ask() is None


def test_t48_a_store_that_cannot_be_written_loses_nothing(
    X, y, truth, make_clf, loop, path, monkeypatch
):
    def broken(self, *args):
        raise StoreError("no")

    loop.tell(truth[loop.ask().indices])
    monkeypatch.setattr(LabelStore, "extend_log", broken)
    for _ in range(2):
        with pytest.raises(SavedLoopError, match="no") as caught:
            loop.save(path)
        assert len(caught.value.labels) == 8
    monkeypatch.undo()
    loop.save(path)
    assert LabelingLoop.load(path, make_clf(), X, y).ask() is None


@pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_a_saved_loop_can_be_read_by_its_owner_only(loop, tmp_path, umask):
    before = os.umask(umask)
    try:
        loop.save(tmp_path / "loop.sqlite")
    finally:
        os.umask(before)
    for file in tmp_path.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.skipif(sys.platform == "win32", reason="links of POSIX")
def test_saving_through_a_link_writes_the_file_it_points_to(
    X, y, truth, make_clf, loop, path, tmp_path
):
    link = tmp_path / "link.sqlite"
    link.symlink_to(path)
    loop.tell(truth[loop.ask().indices])
    loop.save(str(link))
    assert link.is_symlink()
    assert LabelingLoop.load(path, make_clf(), X, y).ask() is None


def test_a_saved_loop_holds_neither_rows_nor_the_oracle(X, y, make_clf, tmp_path):
    secret, path = "s3cret", tmp_path / "loop.sqlite"
    loop = LabelingLoop(make_clf(lambda X: secret), X, y)
    loop.save(path)
    loop._run.saved_in.session.close()
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    data = path.read_bytes()
    assert b"random_state" in data
    for text in ("oracle", secret, repr(X[7, 0].item())):
        assert text.encode() not in data


def test_the_labels_of_a_refused_file_start_a_new_loop(X, y, make_clf, path):
    with pytest.raises(ActiveLearningError) as caught:
        LabelingLoop.load(path, make_clf(batch_size=3), X, y)
    known = y.copy()
    known[caught.value.indices] = caught.value.labels
    loop = LabelingLoop(make_clf(batch_size=3), X, known)
    assert not np.isin(loop.ask().indices, caught.value.indices).any()


def test_a_relative_path_is_taken_from_the_current_folder(
    loop, truth, make_clf, X, y, tmp_path, monkeypatch
):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        loop.save("loop.sqlite")
        loop.save("loop.sqlite")
        query = LabelingLoop.load("loop.sqlite", make_clf(), X, y).ask()
        assert query.indices.tolist() == loop.ask().indices.tolist()
    assert len(list(tmp_path.glob("*/loop.sqlite"))) == 2


# What save replaces


@pytest.mark.parametrize("kind", ["text", "database", "loop", "session", "JSON"])
def test_saving_refuses_a_file_that_is_not_its_own(
    X, y, truth, make_clf, loop, tmp_path, kind
):
    path = tmp_path / "file"
    if kind == "text":
        path.write_text("my notes")
    elif kind == "database":
        sql(path, "CREATE TABLE t (a)")
    elif kind == "JSON":
        shutil.copy(next((Path(__file__).parents[1] / "data").glob("loop_1_*")), path)
    else:
        session = {"session": path} if kind == "session" else {}
        other = LabelingLoop(make_clf(), X, y, sample_ids=range(21), **session)
        other.tell(truth[other.ask().indices])
        if kind == "loop":
            other.save(path)
        (other._run.journal or other._run.saved_in).session.close()
        del other
    before = path.read_bytes()
    for _ in range(2):
        with pytest.raises(SavedLoopError, match=r"left as it (is|was)") as caught:
            loop.save(path)
        assert len(caught.value.labels) == len(caught.value.indices) == 6
    assert path.read_bytes() == before
    loop.save(tmp_path / "another")
    assert LabelingLoop.load(tmp_path / "another", make_clf(), X, y).ask().round == 2


def test_a_file_that_was_moved_away_is_written_again_as_a_whole(
    X, y, truth, make_clf, loop, path, tmp_path
):
    path.rename(tmp_path / "kept.sqlite")
    loop.tell(truth[loop.ask().indices])
    loop.save(path)
    assert LabelingLoop.load(path, make_clf(), X, y).ask() is None
    kept = LabelingLoop.load(tmp_path / "kept.sqlite", make_clf(), X, y)
    assert kept.ask().round == 2


def test_a_file_that_was_replaced_by_an_older_one_is_refused(
    X, y, truth, make_clf, loop, path, tmp_path
):
    older = shutil.copy(path, tmp_path / "older.sqlite")
    loop.tell(truth[loop.ask().indices])
    loop.save(path)
    loop._run.saved_in.session.close()
    shutil.copy(older, path)
    with pytest.raises(SavedLoopError, match="replaced by an older one") as caught:
        loop.save(path)
    assert len(caught.value.labels) == 8
    loop.save(tmp_path / "new.sqlite")
    assert LabelingLoop.load(tmp_path / "new.sqlite", make_clf(), X, y).ask() is None


# Several loops on one file


def ids_of(rows):
    return [f"row {row}" for row in rows]


@pytest.fixture(params=[False, True], ids=["rows", "ids"])
def two(request, X, y, make_clf, tmp_path):
    """Two loops of one file, in the middle of a round, and a function that loads."""
    path = tmp_path / "shared.sqlite"
    about = {"sample_ids": ids_of(range(21))} if request.param else {}
    loop = LabelingLoop(make_clf(budget=12), X, y, **about)
    loop.ask()
    loop.save(path)

    def load():
        return LabelingLoop.load(path, make_clf(budget=12), X, y, **about)

    return load(), load(), load, path


def labels_of(loop, rows):
    return loop.finish().transduction_[rows].tolist()


def test_two_loops_that_tell_different_rows_merge(two, truth):
    first, second, load, path = two
    rows = first.ask().indices
    first.tell(truth[rows[:1]], indices=rows[:1])
    second.tell(truth[rows[1:3]], indices=rows[1:3])
    first.save(path)
    second.save(path)
    first.save(path)
    for loop in (first, second, load()):
        assert loop.ask().indices.tolist() == rows[3:].tolist()
        assert labels_of(loop, rows[:3]) == truth[rows[:3]].tolist()


def test_the_first_saved_label_of_a_row_stays_in_the_file_and_in_both_loops(two):
    first, second, load, path = two
    row = first.ask().indices[:1]
    first.tell([0], indices=row)
    second.tell([1], indices=row)
    second.save(path)
    with pytest.warns(UserWarning, match="got the label 1 in another process"):
        first.save(path)
    for loop in (first, second, load()):
        assert labels_of(loop, row) == [1]
        assert len(loop.ask()) == 3


@pytest.mark.parametrize("first_saved", [0, 1])
def test_a_label_wins_over_a_skip_of_another_loop(two, truth, first_saved):
    first, second, load, path = two
    row = first.ask().indices[:1]
    first.tell([None], indices=row)
    second.tell(truth[row], indices=row)
    loops = [first, second]
    for loop in (loops[first_saved], loops[1 - first_saved], loops[first_saved]):
        loop.save(path)
    for loop in (first, second, load()):
        assert labels_of(loop, row) == truth[row].tolist()
        assert row not in loop.ask().indices


def test_a_correction_in_one_loop_reaches_the_other(two, truth):
    first, second, load, path = two
    rows = first.ask().indices
    first.tell([1 - truth[rows[0]]], indices=rows[:1])
    first.save(path)
    second.tell(truth[rows[1:2]], indices=rows[1:2])
    second.save(path)
    second.correct(truth[rows[:1]], indices=rows[:1], annotator="Bob")
    first.tell(truth[rows[2:3]], indices=rows[2:3])
    second.save(path)
    first.save(path)
    second.save(path)
    for loop in (first, second, load()):
        assert labels_of(loop, rows[:3]) == truth[rows[:3]].tolist()
        assert [c["by"] for c in loop.finish().corrections_] == ["Bob"]


def test_two_loops_that_close_one_round_go_on_with_the_next(two, truth):
    first, second, load, path = two
    rows = first.ask().indices
    first.tell(truth[rows[:2]], indices=rows[:2])
    second.tell(truth[rows[2:]], indices=rows[2:])
    first.save(path)
    second.save(path)
    first.save(path)
    queries = [loop.ask() for loop in (first, second, load())]
    assert [query.round for query in queries] == [2, 2, 2]
    assert len({tuple(query.indices) for query in queries}) == 1
    fitted = [loop.finish() for loop in (first, second, load())]
    assert [clf.n_queries_ for clf in fitted] == [4, 4, 4]
    assert [len(clf.history_) for clf in fitted] == [2, 2, 2]


def test_a_loop_whose_file_has_gone_on_adds_its_answers_and_says_so(two, truth):
    first, second, load, path = two
    rows = first.ask().indices
    first.tell(truth[rows])
    more = first.ask().indices
    first.tell(truth[more[:1]], indices=more[:1])
    first.save(path)
    second.tell(truth[rows])
    others = second.ask().indices
    other = np.setdiff1d(np.arange(1, 20), [*rows, *more, *others])[:1]
    second.tell(truth[others[:2]], indices=others[:2])
    second.tell(truth[other], indices=other)
    for _ in range(2):
        with pytest.raises(SavedLoopError, match="was continued in another") as caught:
            second.save(path)
        assert set(caught.value.indices) >= {*rows, *others[:2]}
    first.save(path)
    told = [*rows, *more[:1], *others[:2], *other]
    for loop in (first, load()):
        assert labels_of(loop, told) == truth[told].tolist()


def in_another_process(path, query):
    """Execute SQL in a process that opens and closes the file."""
    code = (
        "import sqlite3, sys\n"
        "connection = sqlite3.connect(sys.argv[1])\n"
        "print(connection.execute(sys.argv[2]).fetchall())\n"
        "connection.commit()\n"
        "connection.close()\n"
    )
    command = [sys.executable, "-c", code, str(path), query]
    found = subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=60
    )
    return found.stdout.strip()


def test_no_answer_is_lost_if_a_file_in_use_is_loaded_again(
    X, y, truth, make_clf, loop, path
):
    # If a file is closed, this process loses its locks on it. Then another process
    # takes itself for the last one, and removes the log that SQLite writes to.
    loop.correct([1], indices=[20])
    loop.save(path)  # it is open from here on
    LabelingLoop.load(path, make_clf(), X, y)
    in_another_process(
        path, "INSERT INTO events (happened_at, kind) VALUES (1, 'other')"
    )
    loop.tell(truth[loop.ask().indices])
    loop.save(path)
    n_entries = in_another_process(path, "SELECT COUNT(*) FROM log")
    assert n_entries == f"[({len(loop._run.log)},)]"
