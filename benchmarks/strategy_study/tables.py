"""The tables of `strategies.py`."""

import numpy as np
from harness.statistics import critical_difference, friedman_p, mean_ranks
from harness.tables import Table, number

from strategy_study.cells import split_batch
from strategy_study.comparison import MIN_SEEDS

CLASSIFIERS = {
    "logistic": "logistic regression",
    "svm": "RBF SVM",
    "forest": "random forest",
}
BEHIND = 0.01  # strategies with that much less area than random are not to be taken


def thousandths(value):
    return number(1000 * value, "{:+.1f}")


def median_and_mean(shares):
    """Return median and mean of the shares that are known, in percent."""
    known = shares[~np.isnan(shares)]
    if not len(known):
        return ["", ""]
    return [number(100 * f(known), "{:.0f}%") for f in (np.median, np.mean)]


def wins(comparison, baseline="random"):
    """Return on how many sets strategies were better and worse than a baseline."""
    texts = [
        f"{(of > 0).sum()} / {(of < 0).sum()}"
        for of in comparison.decisions(baseline).T
    ]
    texts[comparison.strategies.index(baseline)] = ""
    return texts


def ranking(comparison):
    """Return mean ranks, the critical difference, and a sentence about them."""
    ranks = mean_ranks(comparison.means("area"))
    distance = critical_difference(len(ranks), len(comparison.sets))
    p_value = friedman_p(ranks, len(comparison.sets))
    level = f"p = {p_value:.2g}" if p_value >= 1e-4 else "p < 0.0001"
    return ranks, distance, f"Friedman test {level}; critical difference {distance:.2f}"


def extent(comparison):
    """Return what was compared, as a sentence."""
    seeds = {len(curves[0]) for curves in comparison.curves.values()}
    low, high = min(seeds), max(seeds)
    text = f"{len(comparison.sets)} sets, {low} to {high} seeds."
    if low == high:
        text = f"{len(comparison.sets)} sets, {low} seeds."
    if comparison.left_out:
        names = ", ".join(f"`{name}`" for name in comparison.left_out)
        text += f" Left out, as there are not {MIN_SEEDS} seeds of them all: {names}."
    return text


def overall(name, comparison):
    """Return the table of a group of sets, best mean rank first."""
    if not comparison.sets:
        return Table(name, [], [])
    ranks, distance, tests = ranking(comparison)
    means = {
        measure: comparison.means(measure).mean(axis=0)
        for measure in ("area", "early", "late", "seconds")
    }
    signs, saved = wins(comparison), comparison.saved()
    n_reached = np.isfinite(comparison.labels()).sum(axis=0)
    rows = []
    for j in np.argsort(ranks, kind="stable"):
        strategy = comparison.strategies[j]
        star = " \\*" if ranks[j] <= ranks.min() + distance else ""
        rows.append(
            [
                f"`{strategy}`{star}",
                number(ranks[j], "{:.1f}"),
                *(number(means[of][j]) for of in ("area", "early", "late")),
                signs[j],
                *(["", ""] if strategy == "random" else median_and_mean(saved[:, j])),
                str(n_reached[j]),
                number(means["seconds"][j], "{:.1f}"),
            ]
        )
    head = ["strategy", "rank", "area", "first 50", "later", "better / worse"]
    head += ["saved, median", "mean", "reached", "seconds"]
    note = f"{extent(comparison)} {tests}; \\* not different from the best."
    return Table(name, head, rows, note)


def by_classifier(name, comparisons):
    """Return the table of several classifiers: area, rank, better and worse."""
    parts = []
    for classifier, of in comparisons.items():
        if of.sets:
            title = CLASSIFIERS[classifier]
            ranks, _, tests = ranking(of)
            areas = map(number, of.means("area").mean(axis=0))
            ranks = [number(rank, "{:.1f}") for rank in ranks]
            columns = zip(areas, ranks, wins(of), strict=True)
            texts = dict(sorted(zip(of.strategies, columns, strict=True)))
            head = [f"{title}: area", "rank", "better / worse"]
            parts.append((head, texts, f"{title}: {extent(of)} {tests}."))
    return side_by_side(name, parts)


def beside_baseline(name, comparisons, baseline):
    """Return the table of areas less those of a strategy, by groups of sets."""
    parts = []
    for title, of in comparisons.items():
        if of.sets and baseline in of.strategies:
            texts = gains_and_wins(of, baseline, ("area", "early", "late"))
            head = [f"{title}: area", "first 50", "later"]
            head += [f"better / worse than {baseline}"]
            parts.append((head, texts, f"{title.capitalize()}: {extent(of)}"))
    return side_by_side(name, parts)


def by_batch_size(name, comparisons):
    """Return the table of gains over random, by the number of rows of a batch.

    The strategies are the same in the same order, `random` first.
    """
    parts = []
    for size, of in sorted(comparisons.items()):
        if of.sets:
            texts = gains_and_wins(of, of.strategies[0], ("area",))
            texts = {split_batch(strategy)[0]: row for strategy, row in texts.items()}
            head = [f"{size} a round", "better / worse"]
            parts.append((head, texts, f"{size} a round: {extent(of)}"))
    return side_by_side(name, parts)


def gains_and_wins(comparison, baseline, measures):
    """Return, for the other strategies, texts of gains and of wins over a baseline."""
    gains = [comparison.gains(baseline, of).mean(axis=0) for of in measures]
    signs = wins(comparison, baseline)
    return {
        strategy: [*(thousandths(of[j]) for of in gains), signs[j]]
        for j, strategy in enumerate(comparison.strategies)
        if strategy != baseline
    }


def side_by_side(name, parts):
    """Return one table of parts: head, {strategy: texts of its columns} and note."""
    head = ["strategy", *(title for titles, *_ in parts for title in titles)]
    rows = {strategy: [f"`{strategy}`"] for _, texts, _ in parts for strategy in texts}
    for titles, texts, _ in parts:
        for strategy, row in rows.items():
            row += texts.get(strategy, [""] * len(titles))
    return Table(name, head, list(rows.values()), " ".join(note for *_, note in parts))


def by_kind(name, comparison, kinds):
    """Return the table of gains over random, of several kinds of sets.

    ``kinds[heading]`` is a function that says which sets belong to it, and a measure.
    """
    if not comparison.sets:
        return Table(name, [], [])
    columns, counts = {}, []
    for title, (belongs, measure) in kinds.items():
        chosen = [belongs(of) for of in comparison.sets]
        gains = comparison.gains(measure=measure)[chosen]
        counts.append(f"{title}: {len(gains)}")
        if len(gains):
            columns[title] = gains.mean(axis=0)
    rows = [
        [f"`{strategy}`", *(thousandths(gains[j]) for gains in columns.values())]
        for j, strategy in enumerate(comparison.strategies)
        if strategy != "random"
    ]
    note = f"{extent(comparison)} Number of sets: {'; '.join(counts)}."
    return Table(name, ["strategy", *columns], sorted(rows), note)


def by_situation(name, situations):
    """Return the decision table: the best strategies, and the poor ones, by situation.

    ``situations[heading]`` is a comparison, a function that says which of its sets
    belong to it, and a measure. Gains are over the first strategy of the comparison.
    """
    head = ["where", "sets", "take", "`auto`", "`margin`", "rather not"]
    rows = []
    for title, (comparison, belongs, measure) in situations.items():
        chosen = [belongs(of) for of in comparison.sets]
        if sum(chosen) < 2:
            continue
        baseline, *names = comparison.strategies
        of_sets = comparison.gains(baseline, measure)[chosen].T[1:]
        names = [split_batch(strategy)[0] for strategy in names]
        gains = dict(zip(names, of_sets.mean(axis=1), strict=True))
        texts = {
            name: mean_and_error(1000 * of)
            for name, of in zip(names, of_sets, strict=True)
        }
        best = sorted(gains, key=gains.get, reverse=True)
        taken = [name for name in best[:3] if 0 < gains[best[0]] <= 2 * gains[name]]
        behind = [f"`{name}`" for name in reversed(best) if gains[name] < -BEHIND]
        rows.append(
            [
                title,
                str(sum(chosen)),
                ", ".join(f"`{name}` {texts[name]}" for name in taken),
                *(texts.get(name, "") for name in ("auto", "margin")),
                ", ".join(behind) or "none",
            ]
        )
    note = (
        "After ±: the standard error of the mean over the sets. *Take*: of the three "
        "largest gains those of at least half the largest. *Rather not*: more than "
        f"{1000 * BEHIND:.0f} behind `{baseline}`, worst first."
    )
    return Table(name, head, rows, note)


def mean_and_error(values):
    """Return the mean and its standard error as text."""
    error = np.std(values, ddof=1) / np.sqrt(len(values))
    return f"{number(np.mean(values), '{:+.0f}')} ± {error:.0f}"


def beside_peers(name, comparisons):
    """Return the table of ours and theirs; of each pair one comparison."""
    rows, texts = [], set()
    for theirs, comparison in comparisons.items():
        if not comparison.sets or len(comparison.strategies) < 3:
            continue
        ours = comparison.strategies[1]
        areas, seconds = (
            comparison.means(measure).mean(axis=0) for measure in ("area", "seconds")
        )
        of_sets = comparison.gains(theirs)[:, 1]
        rows.append(
            [
                f"`{ours}`",
                number(areas[1]),
                number(areas[2]),
                thousandths(of_sets.mean()),
                f"{thousandths(of_sets.min())} to {thousandths(of_sets.max())}",
                wins(comparison, theirs)[1],
                number(seconds[1], "{:.1f}"),
                number(seconds[2], "{:.1f}"),
            ]
        )
        texts.add(extent(comparison))
    head = ["strategy", "skactive", "scikit-activeml", "difference", "least to most"]
    head += ["better / worse", "seconds", "seconds of scikit-activeml"]
    return Table(name, head, rows, " ".join(sorted(texts)))
