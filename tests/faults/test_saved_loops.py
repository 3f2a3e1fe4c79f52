"""Files of saved loops that break, and disks that are full: T48, T51, T53, T61."""

import errno
import json
import os
import re
import stat
import sys

import numpy as np
import pytest

from skactive import LabelingLoop
from skactive._loop.old_loops import _checksum
from skactive.exceptions import ActiveLearningError, SavedLoopError


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
    """The file that this loop was saved in."""
    path = tmp_path / "loop.json"
    loop.save(path)
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


def change(path, **parts):
    """Change the content of a file, and its checksum so that it fits."""
    content = json.loads(path.read_text()) | parts
    del content["sha256"]
    path.write_text(json.dumps(content | {"sha256": _checksum(content)}))


@pytest.mark.parametrize("version", [2, 0, "1", None])
def test_t51_a_file_of_another_version_is_refused_and_left_alone(
    X, y, make_clf, path, version
):
    change(path, version=version)
    before = path.read_bytes()
    with pytest.raises(SavedLoopError, match=f"has the version {version!r}") as caught:
        LabelingLoop.load(path, make_clf(), X, y)
    assert path.read_bytes() == before
    assert len(caught.value.labels) == len(caught.value.indices) == 6


@pytest.mark.parametrize(
    "data",
    [b"", b"garbage", b"\xff\xfe\x00", b'{"format": "skac', b"[" * 100_000],
    ids=["empty", "text", "binary", "cut", "deep"],
)
def test_t53_a_file_that_is_no_json_is_refused(X, y, make_clf, tmp_path, data):
    path = tmp_path / "loop.json"
    path.write_bytes(data)
    with pytest.raises(SavedLoopError, match="is not a saved loop, or is damaged"):
        LabelingLoop.load(path, make_clf(), X, y)
    assert path.read_bytes() == data


@pytest.mark.parametrize("data", ["[]", "3", "{}", '{"format": "other"}', "null"])
def test_t53_a_foreign_file_is_refused(X, y, make_clf, tmp_path, data):
    path = tmp_path / "loop.json"
    path.write_text(data)
    with pytest.raises(SavedLoopError, match="is JSON, but not a saved loop"):
        LabelingLoop.load(path, make_clf(), X, y)


def test_t53_a_file_cut_anywhere_is_refused(X, y, make_clf, path):
    data = path.read_bytes()
    for size in range(0, len(data) - 1, 97):
        path.write_bytes(data[:size])
        with pytest.raises(SavedLoopError):
            LabelingLoop.load(path, make_clf(), X, y)


def test_t53_a_changed_label_is_noticed_and_the_labels_come_with_the_error(
    X, y, truth, make_clf, path
):
    content = json.loads(path.read_text())
    told = content["rounds"][0]["told"][0]
    told["labels"][0] = 1 - told["labels"][0]
    path.write_text(json.dumps(content))
    with pytest.raises(SavedLoopError, match="damaged, or was changed") as caught:
        LabelingLoop.load(path, make_clf(), X, y)
    rows, labels = caught.value.indices, caught.value.labels
    assert (labels == truth[rows]).tolist() == [False, True, True, True, True, True]


@pytest.mark.parametrize("rounds", [None, {}, [1], [{"told": 3}], [{}]], ids=str)
def test_t53_a_damaged_file_without_readable_labels_is_refused(
    X, y, make_clf, path, rounds
):
    content = json.loads(path.read_text()) | {"rounds": rounds}
    path.write_text(json.dumps(content))
    with pytest.raises(SavedLoopError, match="is damaged") as caught:
        LabelingLoop.load(path, make_clf(), X, y)
    assert len(caught.value.labels) == 0


def test_t53_a_missing_file_and_a_folder_are_errors_of_the_system(
    X, y, make_clf, loop, tmp_path
):
    with pytest.raises(FileNotFoundError):
        LabelingLoop.load(tmp_path / "none.json", make_clf(), X, y)
    with pytest.raises(OSError, match=re.escape(tmp_path.name)):
        LabelingLoop.load(tmp_path, make_clf(), X, y)
    with pytest.raises(FileNotFoundError):
        loop.save(tmp_path / "no folder" / "loop.json")
    with pytest.raises(OSError) as caught:  # noqa: PT011
        loop.save(tmp_path)
    assert len(caught.value.labels) == 6
    assert list(tmp_path.iterdir()) == []


def test_t48_a_full_disk_leaves_the_old_file_and_the_error_has_the_labels(
    X, y, truth, make_clf, loop, path, monkeypatch
):
    before = path.read_bytes()
    loop.tell(truth[loop.ask().indices])

    def fsync(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="No space left") as caught:
        loop.save(path)
    monkeypatch.undo()
    assert len(caught.value.labels) == 8
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["loop.json"]
    loop.save(path)
    assert LabelingLoop.load(path, make_clf(), X, y).ask() is None


@pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_a_saved_loop_has_the_mode_of_any_new_file(loop, tmp_path, umask):
    before = os.umask(umask)
    try:
        loop.save(tmp_path / "loop.json")
    finally:
        os.umask(before)
    mode = stat.S_IMODE((tmp_path / "loop.json").stat().st_mode)
    assert mode == 0o666 & ~umask


@pytest.mark.skipif(sys.platform == "win32", reason="links of POSIX")
def test_saving_through_a_link_writes_the_file_it_points_to(loop, path, tmp_path):
    link = tmp_path / "link.json"
    link.symlink_to(path)
    path.write_text("old")
    loop.save(str(link))
    assert link.is_symlink()
    assert json.loads(path.read_text())["format"] == "skactive.LabelingLoop"


def test_a_saved_loop_holds_neither_rows_nor_the_oracle(X, y, make_clf, tmp_path):
    secret = "s3cret"
    clf = make_clf(lambda X: secret)
    LabelingLoop(clf, X, y).save(tmp_path / "loop.json")
    text = (tmp_path / "loop.json").read_text()
    assert "oracle" not in text
    assert secret not in text
    assert repr(X[7, 0].item()) not in text


def test_the_labels_of_a_refused_file_start_a_new_loop(X, y, make_clf, path):
    with pytest.raises(ActiveLearningError) as caught:
        LabelingLoop.load(path, make_clf(batch_size=3), X, y)
    known = y.copy()
    known[caught.value.indices] = caught.value.labels
    loop = LabelingLoop(make_clf(batch_size=3), X, known)
    assert not np.isin(loop.ask().indices, caught.value.indices).any()


def test_a_relative_path_is_taken_from_the_current_folder(
    loop, make_clf, X, y, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    loop.save("loop.json")
    assert LabelingLoop.load("loop.json", make_clf(), X, y).ask().round == 2
