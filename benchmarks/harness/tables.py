"""Tables for Markdown and for reStructuredText."""

from dataclasses import dataclass

import numpy as np

NOTHING = "Not measured yet."


def markdown(head, rows, rule=" --- "):
    """Return the lines of a table in Markdown."""
    lines = [f"| {' | '.join(row)} |" for row in [head, *rows]]
    lines.insert(1, f"|{'|'.join([rule] * len(head))}|")
    return "\n".join(lines)


def number(value, pattern="{:.3f}"):
    """Return a number as text, with a real minus sign; nothing for nan."""
    return "" if np.isnan(value) else pattern.format(value).replace("-", "−")


@dataclass(frozen=True)
class Table:
    """Cells as texts; names of strategies and sets are between backticks."""

    name: str
    head: list
    rows: list
    note: str = ""

    def to_markdown(self):
        if not self.rows:
            return f"{NOTHING}\n"
        return f"{markdown(self.head, self.rows)}\n\n{self.note}\n"

    def to_rst(self):
        if not self.rows:
            return f"{NOTHING}\n"
        quoted = (
            ", ".join('"' + cell.replace("`", "``") + '"' for cell in line)
            for line in [self.head, *self.rows]
        )
        table = "\n   ".join(quoted)
        note = self.note.replace("`", "``")
        return f".. csv-table::\n   :header-rows: 1\n\n   {table}\n\n{note}\n"
