"""What the rows of `strategies.py` come to: areas, ranks, wins, labels saved."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from harness.statistics import holm

from skactive.model_selection import normalized_area
from skactive.model_selection._areas import interval_of_mean, labels_needed
from strategy_study.cells import ALL_LABELS, points

EARLY = 50  # bought labels that count as few
TARGET = 0.95  # of the accuracy of all labels
MIN_SEEDS = 3  # sets with fewer, of any strategy, are not compared
ALPHA = 0.05


@dataclass(frozen=True)
class Curve:
    """Scores over those of the model of all labels, at some numbers of labels."""

    n_labeled: np.ndarray
    scores: np.ndarray
    balanced: np.ndarray | None
    seconds: float

    @cached_property
    def measures(self):
        """What a curve comes to: areas, and the labels that reached the target."""
        n_labeled, scores = self.n_labeled, self.scores
        few = min(n_labeled[0] + EARLY, n_labeled[-1])
        nothing = self.balanced is None
        return {
            "area": normalized_area(n_labeled, scores),
            "early": normalized_area(n_labeled, scores, stop=few),
            "late": normalized_area(n_labeled, scores, start=few),
            "balanced": np.nan
            if nothing
            else normalized_area(n_labeled, self.balanced),
            "labels": labels_needed(n_labeled, scores, TARGET),
            "seconds": self.seconds,
        }


def read_curves(results):
    """Return {(dataset, classifier): {strategy: {seed: curve}}} of rows by cells."""
    curves = {}
    for (dataset, classifier, strategy, seed), row in results.items():
        if strategy == ALL_LABELS:
            continue
        full = results[dataset, classifier, ALL_LABELS, seed]
        (of_all,), balanced = _numbers(full["correct"]), None
        if row["balanced"]:
            balanced = _numbers(row["balanced"]) / _numbers(full["balanced"])
        sizes = (int(row[name]) for name in ("n_first", "n_train", "batch"))
        at = np.array(points(*sizes))
        scores = _numbers(row["correct"]) / of_all
        curve = Curve(at, scores, balanced, float(row["seconds"]))
        of_set = curves.setdefault((dataset, classifier), {})
        of_set.setdefault(strategy, {})[seed] = curve
    return curves


def _numbers(text):
    return np.array([int(number) for number in text.split()])


@dataclass(frozen=True)
class Comparison:
    """Strategies on sets, each with the seeds that all strategies have.

    ``curves[set]`` has a list for each strategy, of a curve for each seed. Sets and
    strategies that lack cells are left out.
    """

    sets: list
    strategies: list
    curves: dict
    left_out: list

    def values(self, measure):
        """Return {set: array of shape (n_strategies, n_seeds)}."""
        return {
            name: np.array(
                [[c.measures[measure] for c in of] for of in self.curves[name]]
            )
            for name in self.sets
        }

    def means(self, measure):
        """Return the means over the seeds, of shape (n_sets, n_strategies)."""
        return np.array([v.mean(axis=1) for v in self.values(measure).values()])

    def gains(self, baseline="random", measure="area"):
        """Return the means less those of a baseline."""
        means = self.means(measure)
        return means - means[:, [self.strategies.index(baseline)]]

    def decisions(self, baseline="random"):
        """Return 1 where a strategy is better than a baseline, -1 where it is worse.

        It is a t test of the differences of the same seeds, adjusted by Holm for the
        number of sets. The splits of a set have rows in common: what is tested is
        whether other splits of the same rows would say so, too.
        """
        index = self.strategies.index(baseline)
        signs = np.zeros((len(self.sets), len(self.strategies)), dtype=int)
        areas = self.values("area")
        differences = [areas[name] - areas[name][index] for name in self.sets]
        for j in range(len(self.strategies)):
            tests = [
                interval_of_mean(d[j], confidence=1 - ALPHA, overlap=0)
                for d in differences
            ]
            p_values = holm([p_value for *_, p_value in tests])
            means = np.array([mean for mean, *_ in tests])
            signs[:, j] = np.where(p_values < ALPHA, np.sign(means), 0)
        return signs

    def labels(self):
        """Return the median labels that reached the target, inf if most seeds did not.

        The labels that were known from the beginning are included.
        """
        found = self.values("labels")
        return np.array([np.median(found[name], axis=1) for name in self.sets])

    def saved(self, baseline="random"):
        """Return the share of the labels of a baseline that were not needed.

        It is nan where one of the two has not reached the target.
        """
        labels = self.labels()
        of_baseline = labels[:, [self.strategies.index(baseline)]]
        both = np.isfinite(labels) & np.isfinite(of_baseline)
        return np.where(both, 1 - np.where(both, labels, 1) / of_baseline, np.nan)


def compare(curves, sets, classifier, strategies):
    """Return the comparison of what is complete.

    A strategy that is there for at most half of the sets of the first one is left out;
    then, every set that lacks seeds of any of the others.
    """
    enough = {
        name: {
            strategy
            for strategy, runs in curves.get((name, classifier), {}).items()
            if len(runs) >= MIN_SEEDS
        }
        for name in sets
    }
    begun = [name for name in sets if strategies[0] in enough[name]]
    common = [
        strategy
        for strategy in strategies
        if 2 * sum(strategy in enough[name] for name in begun) > len(begun)
    ]
    complete, chosen = [], {}
    for name in begun:
        runs = curves[name, classifier]
        if not enough[name].issuperset(common):
            continue
        seeds = sorted(set.intersection(*(set(runs[strategy]) for strategy in common)))
        if len(seeds) >= MIN_SEEDS:
            complete.append(name)
            chosen[name] = [[runs[s][seed] for seed in seeds] for s in common]
    lacking = [
        name for name in (*sets, *strategies) if name not in {*complete, *common}
    ]
    return Comparison(complete, common, chosen, lacking)
