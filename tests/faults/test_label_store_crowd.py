"""Many processes on one label store: T49, at length."""

import json
import time
from collections import Counter
from multiprocessing import get_context

import numpy as np
import pytest

from skactive.oracles import CachedOracle

N_PROCESSES, N_BATCHES, BATCH, N_ROWS = 8, 100, 5, 1500


def label_some(folder, number, start):
    """Ask batches in an order of its own; write down all answers and the waits."""

    def ask(X, sample_ids):
        with open(folder / "asked", "a") as file:
            file.write("".join(f"{i}\n" for i in sample_ids))
        return [int(i) % 3 for i in sample_ids]

    oracle = CachedOracle(ask, folder / "labels.sqlite")
    rng = np.random.default_rng(number)
    answers, waits = [], []
    start.wait()
    for _ in range(N_BATCHES):
        ids = rng.choice(N_ROWS, BATCH, replace=False)
        started = time.perf_counter()
        labels = oracle(np.zeros((BATCH, 1)), sample_ids=ids)
        waits.append(time.perf_counter() - started)
        answers += zip(ids.tolist(), labels, strict=True)
    oracle.close()
    (folder / f"answers {number}").write_text(json.dumps([answers, max(waits)]))


@pytest.mark.slow
def test_t49_a_crowd_of_processes_loses_nothing_and_pays_nothing_twice(
    tmp_path, record_property
):
    context = get_context("fork")
    start = context.Barrier(N_PROCESSES)
    crowd = [
        context.Process(target=label_some, args=(tmp_path, number, start))
        for number in range(N_PROCESSES)
    ]
    for process in crowd:
        process.start()
    for process in crowd:
        process.join()
    assert [process.exitcode for process in crowd] == [0] * N_PROCESSES
    check_nothing_lost_or_repeated(tmp_path, record_property)


def check_nothing_lost_or_repeated(folder, record_property):
    found = [json.loads(file.read_text()) for file in folder.glob("answers *")]
    answers = [tuple(pair) for part, _ in found for pair in part]
    assert len(answers) == N_PROCESSES * N_BATCHES * BATCH
    assert all(label == i % 3 for i, label in answers)
    asked = Counter(map(int, (folder / "asked").read_text().split()))
    assert set(asked) == {i for i, _ in answers}
    assert set(asked.values()) == {1}
    oracle = CachedOracle(print, folder / "labels.sqlite")
    stored = {(r["sample_id"], r["label"]) for r in oracle.records()}
    summary = oracle.summary()
    oracle.close()
    assert stored == set(answers)
    assert (summary["n_asked"], summary["n_claimed"]) == (len(asked), 0)
    slowest = max(wait for _, wait in found)
    record_property("slowest_wait_seconds", slowest)
    print(f"the slowest of {N_PROCESSES * N_BATCHES} batches took {slowest:.2f} s")
