"""What the rows of benchmarks/strategies.py come to, and the stored ones."""

import importlib
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"

with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(BENCHMARKS)
    strategies = importlib.import_module("strategies")
    comparison = importlib.import_module("strategy_study.comparison")
    parts = importlib.import_module("strategy_study.parts")
    report = importlib.import_module("strategy_study.report")
    tables = importlib.import_module("strategy_study.tables")


def rows_of(correct, dataset="a", seeds=3):
    """Return rows with 4, 14 and 24 labels; with all labels, 10 are right."""
    common = {
        "n_train": "24",
        "n_first": "4",
        "batch": "10",
        "balanced": "",
        "seconds": "1",
    }
    full = {"all labels": "10"}
    return {
        (dataset, "logistic", name, seed): common | {"correct": text}
        for name, text in (full | correct).items()
        for seed in range(seeds)
    }


def compared(rows, names=("random", "good")):
    curves = comparison.read_curves(rows)
    return comparison.compare(curves, ["a", "b"], "logistic", names)


def test_a_curve_is_split_at_fifty_bought_labels():
    curve = comparison.Curve(np.array([4, 54, 104]), np.array([0, 1, 1]), None, 0.0)
    found = [curve.measures[name] for name in ("area", "early", "late", "labels")]
    assert found == [0.75, 0.5, 1.0, 54]


def test_areas_are_shares_of_the_accuracy_of_all_labels():
    found = compared(rows_of({"random": "5 8 10", "good": "5 10 10"}))
    assert found.means("area") == pytest.approx(np.array([[0.775, 0.875]]))


def test_labels_are_saved_where_both_reach_the_target():
    found = compared(rows_of({"random": "5 8 10", "good": "5 10 10"}))
    assert found.saved()[0] == pytest.approx([0, 1 - 14 / 24])
    found = compared(rows_of({"random": "5 8 9", "good": "5 10 10"}))
    assert np.isnan(found.saved()).all()


def test_a_difference_that_is_the_same_for_all_seeds_is_sure():
    found = compared(rows_of({"random": "5 8 10", "good": "5 10 10"}))
    assert found.decisions().tolist() == [[0, 1]]
    assert tables.wins(found) == ["", "1 / 0"]


def test_situations_have_the_mean_gain_over_the_first_strategy_and_its_error():
    names = ["random", "auto", "margin"]
    rows = rows_of({"random": "5 8 10", "auto": "5 10 10", "margin": "5 7 10"})
    rows |= rows_of({"random": "5 8 10", "auto": "5 8 10", "margin": "5 7 10"}, "b")
    found = compared(rows, names)
    of = {"all": (found, lambda name: True, "area")}
    of["one"] = (found, lambda name: name == "a", "area")  # which has no error
    table = tables.by_situation("situations", of)
    # areas over 20 labels: .775, .875 and .725, then .775, .775 and .725
    expected = ["all", "2", "`auto` +50 ± 50", "+50 ± 50", "−50 ± 0", "`margin`"]
    assert table.rows == [expected]


def test_sets_and_strategies_that_lack_seeds_are_left_out_and_named():
    rows = rows_of({"random": "5 8 10", "good": "5 8 10"})
    rows |= rows_of({"random": "5 8 10", "good": "5 8 10"}, "b", seeds=2)
    found = compared(rows, ["random", "good", "none"])
    assert (found.sets, found.strategies) == (["a"], ["random", "good"])
    assert found.left_out == ["b", "none"]


def test_small_sets_come_before_large_ones_and_few_seeds_before_many():
    cells = list(parts.in_turns(["letter", "wine"], ["svm"], ["margin"], 5))
    assert [cell[0] for cell in cells] == ["wine"] * 5 + ["letter"] * 5
    cells = list(parts.in_turns(["wine", "heart"], ["svm"], ["margin"], 4))
    seeds = [cell[3] for cell in cells]
    assert seeds == [0, 1, 2, 0, 1, 2, 3, 3]


@pytest.mark.slow
def test_all_strategies_of_a_seed_begin_with_the_same_model():
    first = {}
    for (*split, strategy, seed), row in stored().items():
        if strategy != "all labels":
            n_right = row["correct"].split()[0]
            first.setdefault((*split, seed), set()).add(n_right)
    assert [key for key, found in first.items() if len(found) > 1] == []


@pytest.mark.slow
def test_the_user_guide_has_the_tables_of_the_stored_results():
    curves = comparison.read_curves(stored())
    made = report.make_tables(curves, report.comparisons_of(curves))
    text = report.TABLES.read_text(encoding="utf-8")
    readme = report.README.read_text(encoding="utf-8")
    for table in made:  # else: python benchmarks/strategies.py --report
        assert table.to_rst() in text
        assert table.to_markdown() in readme


@pytest.mark.slow
def test_what_is_said_of_auto_is_what_was_measured():
    main = report.comparisons_of(comparison.read_curves(stored()))
    better, worse = {}, {}
    for group in ("all", "further"):
        found = main[group]
        ranks, *_ = tables.ranking(found)
        assert found.strategies[ranks.argmin()] == "auto"
        for name in ("auto", "margin"):
            signs = found.decisions()[:, found.strategies.index(name)]
            better[name, group], worse[name, group] = sum(signs > 0), sum(signs < 0)
            assert name == "margin" or not worse[name, group]
    n_sets = sum(len(main[group].sets) for group in ("all", "further"))
    auto, margin, losses = (
        sum(counts[name, group] for group in ("all", "further"))
        for counts, name in ((better, "auto"), (better, "margin"), (worse, "margin"))
    )
    assert (
        f"better than random labels on {auto} of the {n_sets} and worse on none; "
        f"`margin` on {margin} and on {losses}."
    ) in words_of(BENCHMARKS.parent / "README.md")
    assert (
        f"better than random labels on {better['auto', 'all']} and on "
        f"{better['auto', 'further']} of them, and worse on none; ``margin`` on "
        f"{better['margin', 'all']} and {better['margin', 'further']}, and worse on one"
    ) in words_of(report.GUIDE / "auto.rst")
    assert worse["margin", "all"] == worse["margin", "further"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["margin", "entropy", "k_center"])
def test_some_strategies_of_scikit_activeml_have_the_same_curves(name):
    rows = stored()
    theirs = [key for key in rows if key[2] == f"scikit-activeml {name}"]
    assert theirs
    for dataset, classifier, _, seed in theirs:
        key = dataset, classifier, f"scikit-activeml {name}", seed
        ours = dataset, classifier, name, seed
        assert rows[key]["correct"] == rows[ours]["correct"]


def words_of(path):
    """Return a text without its line breaks."""
    return " ".join(path.read_text(encoding="utf-8").split())


def stored():
    results = strategies.read_results(strategies.RESULTS)
    assert results
    return results
