"""What learning curves come to: areas, labels needed, intervals."""

import csv
import pickle
import sys

import numpy as np
import pytest
from scipy import stats

from skactive.model_selection import (
    ActiveLearningCurve,
    area_under_budget_curve,
    normalized_area,
)
from skactive.model_selection._areas import (
    LabelsNeeded,
    interval_of_mean,
    interval_of_saved,
    labels_needed,
    score_bounds,
)


def run(strategy, split, n_labeled, scores, *, first_model=0):
    """A run as the file has it."""
    n_rounds = len(n_labeled)
    return {
        "strategy": strategy,
        "split": split,
        "first_model": first_model,
        "n_labeled": n_labeled,
        "scores": {"score": scores, "loss": [-1.0] * n_rounds},
        "fit_seconds": [0.25] * n_rounds,
        "select_seconds": [0.5] * n_rounds,
        "query_indices": [],
        "ended": "budget",
    }


def curves_of(*runs, full=(1.0, 0.5), sizes=(40, 10)):
    """A result of two splits."""
    runs = {(r["strategy"], r["split"]): r for r in runs}
    names = list(dict.fromkeys(strategy for strategy, _ in runs))
    for split in (0, 1):
        scores = {"score": full[split], "loss": -0.1}
        runs[None, split] = {"scores": scores, "initial": [split]}
    train, test = sizes
    return ActiveLearningCurve(
        runs, strategies=names, train_sizes=[train] * 2, test_sizes=[test] * 2
    )


@pytest.fixture
def curves():
    return curves_of(
        run("random", 0, [2, 4, 6], [0.2, 0.4, 0.6]),
        run("random", 1, [2, 4, 6], [0.3, 0.3, 0.3]),
        run("margin", 0, [2, 4, 6], [0.2, 0.8, 0.8]),
        run("margin", 1, [2, 4, 6], [0.3, 0.5, 0.4]),
    )


def test_a_constant_curve_has_its_height_for_area():
    assert normalized_area([3, 4, 9, 100], [0.8] * 4) == pytest.approx(0.8)
    assert normalized_area([7], [0.4]) == 0.4


def test_the_area_is_divided_by_its_width():
    # 2 * (0 + 1) / 2 + 4 * (1 + 0.5) / 2 = 4 over a width of 6.
    assert normalized_area([4, 6, 10], [0.0, 1.0, 0.5]) == pytest.approx(4 / 6)


def test_the_area_may_begin_between_points_and_end_after_them():
    # From 5, where it is 0.5: 0.75 + 3, then 2 * 0.5, over a width of 7.
    area = normalized_area([4, 6, 10], [0.0, 1.0, 0.5], start=5, stop=12)
    assert area == pytest.approx((0.75 + 3 + 1) / 7)
    assert np.isnan(normalized_area([4, 6], [0.0, 1.0], start=3))


def test_the_published_area_has_one_trapezoid_less_than_queries():
    assert area_under_budget_curve([0.5, 0.7, 0.9]) == pytest.approx((0.6 + 0.8) / 3)
    assert area_under_budget_curve([1.0] * 43) == pytest.approx(42 / 43)
    assert np.isnan(area_under_budget_curve([]))


@pytest.fixture
def published(data_dir):
    """Folder of the published curves, beside that of the large data sets."""
    folder = data_dir.parent / "reference"
    if not (folder / "lu2023_margin_curves.npz").exists():
        pytest.skip("the published curves are not beside the large data sets")
    return folder


def published_areas(folder):
    path = folder / "lu2023_margin_per_seed.csv"
    with open(path, encoding="utf-8", newline="") as file:
        return {
            (row["dataset"], int(row["seed"])): float(row["aubc"])
            for row in csv.DictReader(file)
            if row["query_model"] == row["task_model"] == "RBFSVM"
        }


@pytest.mark.reference
def test_published_curves_have_their_published_areas(published):
    curves = np.load(published / "lu2023_margin_curves.npz")
    areas = published_areas(published)
    for name in {key.split("/")[0] for key in curves.files}:
        scores = curves[f"{name}/correct"] / curves[f"{name}/n_test"]
        found = [area_under_budget_curve(of_seed[1:]) for of_seed in scores]
        expected = [areas[name, int(seed)] for seed in curves[f"{name}/seed"]]
        # Published to five decimals.
        assert found == pytest.approx(expected, abs=6e-6, rel=0)


def test_areas_and_published_areas_of_each_split(curves):
    assert curves.area("random") == pytest.approx([0.4, 0.3])
    assert curves.area("margin") == pytest.approx([(0.5 + 0.8) / 2, (0.4 + 0.45) / 2])
    assert curves.aubc("margin") == pytest.approx([0.8 / 2, 0.45 / 2])
    assert curves.area("margin", scoring="loss") == pytest.approx([-1, -1])


def test_a_curve_that_ends_early_goes_on_at_its_last_score():
    curves = curves_of(
        run("long", 0, [2, 4, 8], [0.0, 0.5, 1.0]),
        run("long", 1, [2, 4, 8], [0.0, 0.5, 1.0]),
        run("short", 0, [2, 3], [0.0, 0.6]),
        run("short", 1, [2, 3, 4], [0.0, 0.6, 0.8]),
    )
    n_labeled, scores = curves.curve("short")
    assert n_labeled.tolist() == [2, 3, 4, 8]
    np.testing.assert_allclose(scores, [[0, 0.6, 0.6, 0.6], [0, 0.6, 0.8, 0.8]])
    np.testing.assert_allclose(curves.curve("long")[1][0], [0, 0.25, 0.5, 1])
    assert curves.area("short")[0] == pytest.approx((0.3 + 5 * 0.6) / 6)
    assert curves.area("long")[0] == pytest.approx((0.5 + 4 * 0.75) / 6)


def test_a_split_begins_with_the_model_that_came_last():
    curves = curves_of(
        run("a", 0, [1, 2, 3, 4], [None, 0.2, 0.4, 0.6], first_model=1),
        run("b", 0, [1, 2, 3, 4], [None, None, 0.4, 0.8], first_model=2),
        *(run(name, 1, [1, 2, 3, 4], [0.5] * 4) for name in "ab"),
    )
    assert np.isnan(curves.curve("b")[1]).tolist()[0] == [True, True, False, False]
    assert curves.area("a") == pytest.approx([0.5, 0.5])
    assert curves.area("b") == pytest.approx([0.6, 0.5])
    assert curves.mean_curve("b")[0].tolist() == [3, 4]
    assert [np.isnan(r["score"]) for r in curves.records[:2]] == [True, False]


def test_labels_to_reach_a_score_are_those_of_the_first_model_that_does(curves):
    assert curves.labels_to_reach(0.4, "margin").tolist() == [4, 4]
    assert curves.labels_to_reach(0.4, "random").tolist() == [4, np.inf]
    assert curves.labels_to_reach([0.6, 0.3], "random").tolist() == [6, 2]


def test_a_share_of_the_full_score_is_taken_in_each_split(curves):
    # 0.8 of 1.0 and of 0.5: margin after 4 and 4 labels, random never.
    margin, random = curves.summary(target="80%")
    assert (margin["labels"], margin["n_reached"]) == (4, 2)
    assert (random["labels"], random["n_reached"]) == (np.inf, 0)
    assert np.isnan(margin["saved"])


def test_a_share_of_a_loss_is_a_larger_loss():
    runs = [run("a", split, [2, 4], [0.5, 0.5]) for split in (0, 1)]
    for one in runs:
        one["scores"]["loss"] = [-0.3, -0.15]
    curves = curves_of(*runs)
    # -0.1 / 0.5 = -0.2 is reached by -0.15, and not by -0.3.
    assert curves.summary(target="50%", scoring="loss")[0]["labels"] == 4


def test_labels_saved_against_what_the_baseline_has_in_the_end(curves):
    margin, random = curves.summary(target="baseline")
    # Margin has 0.6 with 4 labels and 0.3 with 2; random with 6 and 2.
    assert (margin["labels"], random["labels"]) == (3, 4)
    assert margin["saved"] == pytest.approx(1 - 3 / 4)


def test_differences_are_paired_and_their_interval_is_corrected(curves):
    margin, random = curves.summary(confidence=0.9)
    differences = np.array([0.65 - 0.4, 0.425 - 0.3])
    error = np.sqrt((1 / 2 + 10 / 40) * differences.var(ddof=1))
    half = stats.t(1).ppf(0.95) * error
    mean = differences.mean()
    assert margin["difference"] == pytest.approx(mean)
    assert margin["difference_low"] == pytest.approx(mean - half)
    assert margin["difference_high"] == pytest.approx(mean + half)
    assert margin["p_value"] == pytest.approx(2 * stats.t(1).sf(mean / error))
    assert np.isnan(random["difference"])
    assert [margin["strategy"], random["strategy"]] == ["margin", "random"]


def test_the_plain_interval_is_that_of_the_usual_t_test(curves):
    margin = curves.summary(corrected=False, confidence=0.7)[0]
    found = stats.ttest_rel(curves.area("margin"), curves.area("random"))
    low, high = found.confidence_interval(0.7)
    assert margin["p_value"] == pytest.approx(found.pvalue)
    assert margin["difference_low"] == pytest.approx(low)
    assert margin["difference_high"] == pytest.approx(high)


def test_intervals_of_a_score_end_where_the_score_does(curves):
    # Over two splits t intervals are wider than [0, 1].
    margin = curves.summary()[0]
    assert (margin["area_low"], margin["area_high"]) == (0.0, 1.0)
    assert margin["difference_high"] == 1.0
    _, _, low, high = curves.mean_curve("margin")
    assert low.min() == 0.0
    assert high.max() == 1.0


@pytest.mark.parametrize(
    ("name", "bounds"),
    [
        ("score", (0, 1)),
        ("f1_macro", (0, 1)),
        ("roc_auc_ovr", (0, 1)),
        ("matthews_corrcoef", (-1, 1)),
        ("neg_log_loss", (-np.inf, 0)),
        ("gain in euros", (-np.inf, np.inf)),
    ],
)
def test_the_range_of_a_score_is_known_by_its_name(name, bounds):
    assert score_bounds(name) == bounds


def test_a_score_that_leaves_the_range_of_its_name_has_no_bounds():
    values = np.array([0.5, 1.5, 0.9])
    plain = interval_of_mean(values, confidence=0.95, overlap=0)
    bounded = interval_of_mean(values, confidence=0.95, overlap=0, bounds=(0, 1))
    assert plain == bounded


def test_a_target_that_is_missed_by_rounding_is_reached():
    assert 0.8 * 0.9 > 0.72
    assert labels_needed([10, 20, 30], [0.5, 0.72, 0.8], 0.8 * 0.9) == 20
    assert labels_needed([10, 20, 30], [-3e4, -2e4, -1e4], -2e4 + 1e-6) == 20
    assert labels_needed([10, 20, 30], [0.5, 0.72, 0.8], 0.7200001) == 30


def test_the_interval_of_what_is_saved_is_that_of_all_ways_to_draw_two_splits(curves):
    # Margin needs 4 and 2 labels, random 6 and 2. Twice the first split: a third is
    # saved; twice the second: nothing; both: a quarter. The t distribution with one
    # degree of freedom takes the percentiles to the ends.
    margin, random = curves.summary(target="baseline")
    assert margin["saved_low"] == pytest.approx(0)
    assert margin["saved_high"] == pytest.approx(1 / 3)
    assert np.isnan([random["saved"], random["saved_low"]]).all()


def test_where_splits_miss_the_target_less_is_known_of_what_is_saved():
    def saved(few, many, last=40.0):
        both = (
            LabelsNeeded(np.array(of), np.full(len(of), last)) for of in (few, many)
        )
        return interval_of_saved(*both, confidence=0.95, overlap=0.25)

    assert saved([10.0] * 6, [20.0] * 6) == (0.5, 0.5, 0.5)
    # All that are drawn may be the one that misses it.
    assert saved([10.0, 10.0, np.inf], [20.0] * 3) == (0.5, -np.inf, 0.5)
    # The baseline needs more than 40 labels there, for the 30 of the strategy.
    assert saved([10.0, 10.0, 30.0], [20.0, 20.0, np.inf]) == (0.5, 0.25, 1.0)
    assert np.isnan(saved([10.0] * 3, [20.0, np.inf, np.inf])).all()


@pytest.mark.slow
@pytest.mark.parametrize(("n_splits", "at_least"), [(5, 0.92), (10, 0.94), (30, 0.94)])
def test_the_interval_of_what_is_saved_holds_the_truth(n_splits, at_least):
    rng, held = np.random.default_rng(0), []
    for _ in range(500):
        shared = rng.normal(0, 0.3, n_splits)  # how hard a split is
        many = np.round(100 * np.exp(shared + rng.normal(0, 0.2, n_splits)))
        few = np.round(60 * np.exp(shared + rng.normal(0, 0.2, n_splits)))
        both = LabelsNeeded(few, few), LabelsNeeded(many, many)
        _, low, high = interval_of_saved(*both, confidence=0.95, overlap=0)
        held.append(low <= 0.4 <= high)
    assert np.mean(held) >= at_least


def test_the_mean_curve_has_the_same_interval_at_each_point(curves):
    n_labeled, mean, low, high = curves.mean_curve(
        "margin", corrected=False, confidence=0.5
    )
    assert n_labeled.tolist() == [2, 4, 6]
    np.testing.assert_allclose(mean, [0.25, 0.65, 0.6])
    # Half the difference of two values is their standard error.
    half = stats.t(1).ppf(0.75) * np.array([0.05, 0.15, 0.2])
    np.testing.assert_allclose((high - low) / 2, half)


def test_one_split_has_no_interval():
    runs = {
        ("a", 0): run("a", 0, [2, 4], [0.5, 0.7]),
        (None, 0): {"scores": {"score": 1.0, "loss": -1.0}, "initial": [0]},
    }
    curves = ActiveLearningCurve(
        runs, strategies=["a"], train_sizes=[40], test_sizes=[10]
    )
    (row,) = curves.summary(target=0.6)
    assert row["area"] == pytest.approx(0.6)
    assert np.isnan([row["area_low"], row["difference"], row["saved"]]).all()
    assert "0.6000" in repr(curves.summary())


def test_the_summary_prints_as_a_table_without_pandas(curves, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    summary = curves.summary(target="baseline")
    title, _, head, margin, random = repr(summary).splitlines()
    assert "differences to random; labels to reach what random has" in title
    assert head.split()[:2] == ["strategy", "area"]
    assert margin.startswith("margin    0.5375  [")
    assert margin.endswith("3       2/2      25%    [0%, 33%]")
    assert "+0.1875" in margin
    assert random.endswith("4       2/2")
    with pytest.raises(ImportError, match="pip install pandas"):
        summary.to_frame()
    with pytest.raises(ImportError, match="records"):
        curves.to_frame()


def test_frames_have_all_rounds_and_all_strategies(curves):
    frame = curves.to_frame()
    assert len(frame) == 12
    means = frame.groupby(["strategy", "n_bought"])["score"].mean()
    assert means["margin", 2] == pytest.approx(0.65)
    assert frame.loc[0, ["fit_seconds", "select_seconds"]].tolist() == [0.25, 0.5]
    summary = curves.summary().to_frame()
    assert summary.loc["margin", "difference"] == pytest.approx(0.1875)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda c: c.curve("entropy"), "strategy='entropy' is not one of .*'random'"),
        (
            lambda c: c.area("margin", scoring="f1"),
            "scoring='f1' is not one of .*'score'",
        ),
        (lambda c: c.summary(baseline="entropy"), "baseline='entropy' is not one of"),
        (lambda c: c.summary(target="good"), "target must be a score"),
    ],
)
def test_names_that_are_not_there(curves, call, match):
    with pytest.raises(ValueError, match=match):
        call(curves)


def test_without_random_there_is_no_comparison_unless_one_is_named():
    runs = [run(name, split, [2, 4], [0.5, 0.7]) for name in "ab" for split in (0, 1)]
    curves = curves_of(*runs)
    assert np.isnan(curves.summary()[0]["difference"])
    assert "difference" not in repr(curves.summary())
    assert curves.summary(baseline="b")[0]["difference"] == 0
    with pytest.raises(ValueError, match="needs a baseline"):
        curves.summary(target="baseline")


def test_a_result_can_be_pickled(curves):
    again = pickle.loads(pickle.dumps(curves))
    assert repr(again) == repr(curves)
    assert again.records == curves.records
