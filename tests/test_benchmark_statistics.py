"""The statistics behind the tables of benchmarks/strategies.py.

Published values are those of Demšar (2006), "Statistical comparisons of classifiers
over multiple data sets".
"""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import f

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "harness" / "statistics.py"
spec = importlib.util.spec_from_file_location("harness_statistics", SCRIPT)
statistics = importlib.util.module_from_spec(spec)
spec.loader.exec_module(statistics)


# Its table of critical values at 5%.
@pytest.mark.parametrize(("k", "q"), [(2, 1.960), (4, 2.569), (5, 2.728), (10, 3.164)])
def test_the_critical_difference_has_the_published_critical_values(k, q):
    expected = q * np.sqrt(k * (k + 1) / (6 * 14))
    assert statistics.critical_difference(k, 14) == pytest.approx(expected, abs=1e-3)


def test_the_friedman_test_has_the_published_statistic():
    ranks = [3.143, 2.000, 2.893, 1.964]  # of four strategies on 14 sets: F = 3.69
    low, high = f.sf([3.695, 3.685], 3, 39)
    assert low < statistics.friedman_p(ranks, 14) < high


def test_the_friedman_test_is_sure_where_the_order_is_always_the_same():
    assert statistics.friedman_p([1.0, 2.0, 3.0], 5) == 0


def test_the_highest_value_has_the_first_rank_and_ties_share_theirs():
    values = [[0.9, 0.8, 0.7], [0.5, 0.5, 0.1]]
    assert statistics.mean_ranks(values).tolist() == [1.25, 1.75, 3.0]


def test_holm_multiplies_the_smallest_by_all_and_the_next_by_one_fewer():
    # 4 · 0.01, 3 · 0.02, 2 · 0.025 (not below the one before), and nan as 1.
    adjusted = statistics.holm([0.02, np.nan, 0.01, 0.025])
    assert adjusted == pytest.approx([0.06, 1.0, 0.04, 0.06])


def test_bars_join_ranks_within_the_distance_and_none_is_part_of_another():
    # From 1 to 2, from 2 to 3; that from 2.5 to 3 is part of the latter.
    assert statistics.alike([3.0, 1.0, 2.0, 2.5, 9.0], 1.0) == [(1.0, 2.0), (2.0, 3.0)]
