"""The comparison of strategies, and its table."""

import math

import numpy as np

from skactive.model_selection._areas import (
    LabelsNeeded,
    interval_of_mean,
    interval_of_saved,
    score_bounds,
)


def summarize(curves, *, scoring, baseline, target, confidence, overlap):
    """Compare strategies, see :meth:`ActiveLearningCurve.summary`.

    Parameters
    ----------
    curves : ActiveLearningCurve
        The curves.

    scoring, baseline, target, confidence
        As given, with the defaults filled in.

    overlap : float
        See :func:`interval_of_mean`.

    Returns
    -------
    summary : CurveSummary
        The rows.
    """
    targets = _targets(curves, target, scoring, baseline)
    areas = {name: curves.area(name, scoring=scoring) for name in curves.strategies}
    needed = {
        name: LabelsNeeded(
            curves.labels_to_reach(targets, name, scoring=scoring),
            curves.last_n_labeled(name),
        )
        for name in curves.strategies
    }
    if baseline is not None and baseline not in areas:
        raise ValueError(
            f"baseline={baseline!r} is not one of the strategies {curves.strategies}."
        )
    interval = {"confidence": confidence, "overlap": overlap}
    low, high = score_bounds(scoring)
    apart = {**interval, "bounds": (low - high, high - low)}
    rows = []
    for name in curves.strategies:
        is_compared = baseline is not None and name != baseline
        differences = areas[name] - areas[baseline] if is_compared else None
        of_baseline = needed[baseline] if is_compared else None
        rows.append(
            {
                "strategy": name,
                **_interval_columns(
                    "area", areas[name], bounds=(low, high), **interval
                ),
                **_difference_columns(differences, **apart),
                **_label_columns(needed[name], of_baseline, **interval),
            }
        )
    rows.sort(key=lambda row: -row["area"])
    return CurveSummary(
        rows,
        score_name=scoring,
        baseline=baseline,
        target=target,
        confidence=confidence,
        n_splits=curves.n_splits,
    )


def _targets(curves, target, scoring, baseline):
    """Return the score to reach, one for all splits or one for each."""
    if isinstance(target, str) and target.endswith("%"):
        share, full = _share(target), curves.full_scores[scoring]
        return np.where(full < 0, full / share, full * share)
    if target == "baseline":
        if baseline is None:
            raise ValueError(
                'target="baseline" needs a baseline; name one of the strategies '
                f"{curves.strategies} as baseline."
            )
        return curves.last_scores(baseline, scoring=scoring)
    if isinstance(target, str):
        raise _no_target(target)
    return target


def _share(target):
    try:
        share = float(target[:-1]) / 100
    except ValueError:
        raise _no_target(target) from None
    if not 0 < share < np.inf:
        raise _no_target(target)
    return share


def _no_target(target):
    return ValueError(
        "target must be a score, a share of the score of the full training part "
        f"such as '95%', or 'baseline', got {target!r}."
    )


def _interval_columns(name, values, **interval):
    mean, low, high, _ = interval_of_mean(values, **interval)
    return {name: float(mean), f"{name}_low": float(low), f"{name}_high": float(high)}


def _difference_columns(differences, **interval):
    """Return the columns that compare with the baseline, nan if there is none."""
    if differences is None:
        names = ("difference", "difference_low", "difference_high", "p_value")
        return dict.fromkeys(names, np.nan)
    *_, p_value = interval_of_mean(differences, **interval)
    columns = _interval_columns("difference", differences, **interval)
    return columns | {"p_value": float(p_value)}


def _label_columns(needed, of_baseline, **interval):
    saved = low = high = np.nan
    if of_baseline is not None:
        saved, low, high = interval_of_saved(needed, of_baseline, **interval)
    return {
        "labels": float(np.median(needed.labels)),
        "n_reached": int(np.isfinite(needed.labels).sum()),
        "saved": saved,
        "saved_low": low,
        "saved_high": high,
    }


class CurveSummary(list):
    """Rows of a comparison, which print as a table.

    Parameters
    ----------
    rows : list of dict
        One row for each strategy.

    score_name, baseline, target, confidence, n_splits
        The scores, targets and intervals of the rows, for the headings.
    """

    def __init__(self, rows, *, score_name, baseline, target, confidence, n_splits):
        super().__init__(rows)
        self.score_name = score_name
        self.baseline = baseline
        self.target = target
        self.confidence = confidence
        self.n_splits = n_splits

    def to_frame(self):
        """Return the rows as a pandas DataFrame, with the strategies as index."""
        return import_pandas().DataFrame(list(self)).set_index("strategy")

    def __repr__(self):
        level = f"{self.confidence:.0%} interval"
        head = ["strategy", "area", level, "labels", "reached"]
        if self.baseline is not None:
            head[3:3] = ["difference", level, "p"]
            head += ["saved", level]
        lines = [head, *(self._cells(row) for row in self)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        lines = ["  ".join(map(_padded, line, widths)).rstrip() for line in lines]
        return "\n".join([self._title(), "", *lines])

    def _title(self):
        goal = self.target
        if goal == "baseline":
            goal = f"what {self.baseline} has in the end"
        elif isinstance(goal, str):
            goal = f"{goal} of the full-data score"
        versus = f"; differences to {self.baseline}" if self.baseline else ""
        return (
            f"Area under the curve of {self.score_name} over {self.n_splits} splits"
            f"{versus}; labels to reach {goal}"
        )

    def _cells(self, row):
        cells = [row["strategy"], *_with_interval(row, "area", "{:.4f}")]
        if self.baseline is not None:
            cells += _with_interval(row, "difference", "{:+.4f}")
            cells.append(_text(row["p_value"], "{:.2g}"))
        cells.append(_text(row["labels"], "{:g}"))
        cells.append(f"{row['n_reached']}/{self.n_splits}")
        if self.baseline is not None:
            cells += _with_interval(row, "saved", "{:.0%}")
        return cells


def _with_interval(row, name, pattern):
    low, high = (_text(row[f"{name}_{end}"], pattern) for end in ("low", "high"))
    interval = f"[{low}, {high}]" if low else ""
    return [_text(row[name], pattern), interval]


def _text(value, pattern):
    return "" if math.isnan(value) else pattern.format(value)


def _padded(cell, width):
    return cell.ljust(width)


def import_pandas():
    """Return pandas, or raise an error that says how to install it."""
    try:
        import pandas
    except ImportError as error:
        raise ImportError(
            "A DataFrame needs pandas; install it with `pip install pandas`. Without "
            "it, the same is in lists of dicts: `records`, and the summary itself."
        ) from error
    return pandas
