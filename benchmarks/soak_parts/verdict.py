"""What came of a soak: counts, checks with their limits, and what went wrong."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from skactive import LabelingLoop, Session
from soak_parts.checks import (
    asked_after_answer,
    first_and_last,
    handed_out_twice,
    missing_corrections,
    slope,
    surely_paid,
    wrong_labels,
)
from soak_parts.journal import changes_of, is_acknowledged, read

MIB = 2**20
# A short soak has not enough to judge time and memory by.
ENOUGH_ASKS, ENOUGH_SECONDS = 100, 120


@dataclass
class Verdict:
    """Counts by name; checks as (what, found, limit); texts about what went wrong."""

    counts: dict = field(default_factory=dict)
    checks: list = field(default_factory=list)
    details: list = field(default_factory=list)

    def check(self, what, found, limit=0):
        """Add a check; a list of errors counts by its length, and is shown."""
        if isinstance(found, list):
            if found:
                self.details.append(f"{what}: {found[:5]}")
            found = len(found)
        self.checks.append((what, found, limit))

    @property
    def holds(self):
        return all(found <= limit for _, found, limit in self.checks)

    def count_lines(self):
        return [[name, _text(value)] for name, value in self.counts.items()]

    def check_lines(self):
        return [
            [what, _text(found), _text(limit), "" if found <= limit else "**fails**"]
            for what, found, limit in self.checks
        ]

    def as_dict(self):
        checks = [
            {"check": what, "found": found, "at_most": limit}
            for what, found, limit in self.checks
        ]
        return {"counts": self.counts, "checks": checks, "details": self.details}


def _text(value):
    return str(value) if isinstance(value, int | str) else f"{value:.3f}"


def judge(problem, soak):
    """Open the session once more, and compare it with the journals."""
    entries = read(sorted(problem.folder.glob("worker-*.jsonl")))
    served = read(sorted(problem.folder.glob("server-*.jsonl")))
    verdict = Verdict()
    count(verdict.counts, entries, served, soak)
    check_labels(verdict, problem, entries, served)
    check_asks(verdict, problem, served)
    check_memory(verdict, soak)
    refused = [e for e in entries if "refused" in e]
    errors = [e["text"] for e in entries if e["kind"] == "error"]
    errors += [f"{e['kind']}, {e['why']}: {e['refused']}" for e in refused]
    verdict.check("errors of requests", errors)
    verdict.check("processes that failed", soak.failures)
    texts = Counter(e["text"] for e in served if e["kind"] == "warning")
    verdict.details += [f"Warned in {n} processes: {text}" for text, n in texts.items()]
    return verdict


def count(counts, entries, served, soak):
    """Count what was done."""
    done = [e for e in entries if is_acknowledged(e)]
    tells = [e for e in done if e["kind"] == "tell"]
    answers = [label for e in tells for label in e["labels"]]
    why = Counter(e["why"] for e in done for _ in e["rows"])
    asks = [e for e in entries if e["kind"] == "ask"]
    counts |= {
        "rows handed out": sum(len(e["rows"]) for e in asks),
        "acknowledged answers": len(answers),
        "of these: late": why["late"],
        "of these: twice": why["twice"],
        "of these: wrong, after another": why["wrong"],
        "of these: any row, mostly never asked": why["unasked"],
        "of these: skips": sum(label is None for label in answers),
        "corrections": why["correction"],
        "rows put back in the queue": why["again"],
        "kills of a worker": soak.counts["kills of the worker"],
        "kills of the server": soak.counts["kills of the server"],
        "loops opened": sum(e["kind"] == "open" for e in served),
        "rows added": soak.counts["rows added"],
    }


def check_labels(verdict, problem, entries, served):
    """Check labels, budget, corrections and who was given what."""
    changes = changes_of(entries)
    asks = [e for e in entries if e["kind"] == "ask"]
    paid = surely_paid(asks, changes, [e["at"] for e in served if e["kind"] == "open"])
    with Session(problem.session) as session:
        labels = dict(session.labels())
        audit = [(c["sample_id"], c["label"]) for c in session.corrections()]
        X, y, ids = problem.pool(0)
        loop = LabelingLoop(problem.classifier(), X, y, sample_ids=ids, session=session)
        fitted = loop.finish()
        summary = session.summary()
    learnt = {
        row: None if label == -1 else label
        for row, label in zip(ids.tolist(), fitted.transduction_.tolist(), strict=True)
    }
    verdict.check("labels lost or wrong in the file", wrong_labels(changes, labels))
    verdict.check("labels lost or wrong in the loop", wrong_labels(changes, learnt))
    verdict.check("corrections not in the audit", missing_corrections(changes, audit))
    verdict.counts |= {
        "budget": problem.budget,
        "rows charged": summary["n_charged"],
        "rows charged for certain, by the journals": len(paid),
        "labels of rows that were never asked about": summary["n_unasked"],
        "rounds": summary["n_rounds"],
    }
    most = max(summary["n_charged"], fitted.n_queries_, len(paid))
    verdict.check("rows over budget", max(0, most - problem.budget))
    verdict.check("rows asked after their answer", asked_after_answer(asks, changes))
    errors, in_flight = handed_out_twice(asks, changes, problem.lease_seconds)
    verdict.check("rows leased to two workers at once", errors)
    verdict.counts["rows leased again, in flight at a kill"] = len(in_flight)


def check_asks(verdict, problem, served):
    """Check that an ask takes as long in the end as at the beginning."""
    asks = {"begins": {}, "leases": {}, "nothing": {}}
    for e in served:
        if e["kind"] in asks:
            # Of asks that waited for a round, the one that began it has worked most.
            key = e["round"] if e["kind"] == "begins" else e["at"]
            of = asks[e["kind"]].setdefault((e["start"], key), e)
            if e["cpu"] > of["cpu"]:
                asks[e["kind"]][e["start"], key] = e
    begins, lends = (_warm(asks[kind].values()) for kind in ("begins", "leases"))
    with Session(problem.session) as session:
        spent = {
            record["round"]: record["fit_seconds"] + record["select_seconds"]
            for record in session.history()
        }
    # Not judged: the pool grows by a fifth, and so do fit and selection.
    walls = [entry["wall"] for entry in begins]
    compare_asks(verdict, "an ask that begins a round", walls, limit=None)
    own = [e["wall"] - spent[e["round"]] for e in begins if e["round"] in spent]
    compare_asks(verdict, "the same, besides fit and selection", own)
    compare_asks(verdict, "an ask that only leases rows", [e["wall"] for e in lends])


def _warm(asks):
    """Return asks in order, without the first of each process, which are slow."""
    kept, seen = [], Counter()
    for e in sorted(asks, key=lambda e: e["at"]):
        seen[e["start"]] += 1
        if seen[e["start"]] > 3:
            kept.append(e)
    return kept


def compare_asks(verdict, name, seconds, *, limit=1.2):
    first, last, n = first_and_last(seconds, ENOUGH_ASKS)
    verdict.counts[f"{name}, ms: first and last {n}"] = (
        f"{1e3 * first:.2f}, {1e3 * last:.2f}"
    )
    if n == ENOUGH_ASKS and limit is not None:
        verdict.check(f"{name}: last over first", last / first, limit)


def check_memory(verdict, soak):
    """Check that the memory of the last server stays as it was after a warm-up."""
    last = soak.memory[-1][1]
    seen = np.array(
        [(at, size) for at, process, size in soak.memory if process == last]
    )
    seen = seen[len(seen) // 5 :]
    part = max(1, len(seen) // 4)
    before, after = np.median(seen[:part, 1]), np.median(seen[-part:, 1])
    verdict.counts |= {
        "memory of the server, MiB: first and last quarter": (
            f"{before / MIB:.1f}, {after / MIB:.1f}"
        ),
        "its slope, MiB an hour": slope(*seen.T) * 3600 / MIB,
        "seconds it was watched": float(np.ptp(seen[:, 0])),
    }
    if np.ptp(seen[:, 0]) >= ENOUGH_SECONDS:
        verdict.check("memory: last quarter over first", float(after / before), 1.05)
