"""Statistics of comparisons: paired calls, and strategies over many data sets."""

import numpy as np
from scipy import stats


def mean_ranks(values):
    """Return the mean rank of each column; the highest value of a row has rank 1.

    The rows are data sets, and the columns strategies. Equal values share their ranks.
    """
    return stats.rankdata(-np.asarray(values), axis=1).mean(axis=0)


def friedman_p(ranks, n_sets):
    """Return the p value of all strategies being alike, from their mean ranks.

    It is that of Iman and Davenport's F; see Demšar (2006), "Statistical comparisons of
    classifiers over multiple data sets", section 3.2.2.
    """
    n, k = n_sets, len(ranks)
    chi2 = 12 * n / (k * (k + 1)) * (np.sum(np.square(ranks)) - k * (k + 1) ** 2 / 4)
    if np.isclose(chi2, n * (k - 1)):  # the same order on all sets
        return 0.0
    F = (n - 1) * chi2 / (n * (k - 1) - chi2)
    return float(stats.f.sf(F, k - 1, (k - 1) * (n - 1)))


def critical_difference(n_strategies, n_sets, alpha=0.05):
    """Return how far mean ranks must be apart to differ, by the test of Nemenyi.

    It holds for all pairs at once; see Demšar (2006), section 3.2.2.
    """
    q = stats.studentized_range.ppf(1 - alpha, n_strategies, np.inf) / np.sqrt(2)
    return float(q * np.sqrt(n_strategies * (n_strategies + 1) / (6 * n_sets)))


def holm(p_values):
    """Return the p values adjusted for their number, by the step-down of Holm (1979).

    nan, where there was no difference at all, counts as 1.
    """
    p_values = np.nan_to_num(np.asarray(p_values, dtype=float), nan=1.0)
    order = np.argsort(p_values)
    factors = np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.maximum.accumulate(factors * p_values[order])
    return np.minimum(adjusted, 1.0)


def alike(ranks, distance):
    """Return the bars of a diagram of critical differences.

    A bar is the first and the last rank of a largest group that does not differ, as no
    two of its mean ranks are further apart than `distance`.
    """
    ranks = np.sort(ranks)
    ends = [ranks[ranks <= rank + distance][-1] for rank in ranks]
    bars = [(float(a), float(b)) for a, b in zip(ranks, ends, strict=True) if b > a]
    return [bar for i, bar in enumerate(bars) if not i or bar[1] > bars[i - 1][1]]


def interval_of_median(values, confidence=0.95):
    """Return the exact interval of the median; nan for fewer values than it takes.

    The bounds are values themselves, and their ranks come from the binomial
    distribution, so that nothing is assumed of how values are distributed.
    """
    test = stats.quantile_test(values, q=np.median(values))
    return tuple(test.confidence_interval(confidence))
