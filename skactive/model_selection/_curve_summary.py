"""The comparison of strategies as a table."""

import math


class CurveSummary(list):
    """Rows of a comparison, that print as a table.

    Parameters
    ----------
    rows : list of dict
        One row for each strategy.

    score_name, baseline, target, confidence, n_splits
        What the rows are about, for the headings.
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
            head.append("saved")
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
            cells.append(_text(row["saved"], "{:.0%}"))
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
    """Return pandas, or say how to install it."""
    try:
        import pandas
    except ImportError as error:
        raise ImportError(
            "A DataFrame needs pandas; install it with `pip install pandas`. Without "
            "it, the same stands in lists of dicts: `records`, and the summary itself."
        ) from error
    return pandas
