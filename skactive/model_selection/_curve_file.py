"""The file of a learning curve: one line of JSON for each finished run."""

import json
import os

import numpy as np

FORMAT = "skactive.active_learning_curve"
VERSION = 1

# Messages if these inputs differ from those of the file; for others, values are shown.
_DATA = {
    "X": "the values of X differ",
    "y": "the labels in y, or the rows that have them, differ",
    "splits": "cv gives different splits (a shuffling splitter needs a random_state)",
    "initial": "initial chooses different rows",
}


class CurveFile:
    """Runs in a file, which can be added to.

    The first line describes the inputs of all runs. A line with the parameters of a
    strategy comes before its first run. A last line is dropped if it is not complete,
    because the process was killed.

    Parameters
    ----------
    path : str or path-like
        The file.

    Attributes
    ----------
    header : dict or None
        The first line; None if there is no file, or if it is empty.

    parameters : dict of str to dict
        Parameters of each strategy.

    runs : dict of (str, int) to dict
        Finished runs by strategy and split.
    """

    def __init__(self, path):
        self.path = os.fspath(path)
        self.header, self.parameters, self.runs = None, {}, {}
        self._n_bytes = 0
        if os.path.exists(self.path):
            self._read()

    def _read(self):
        with open(self.path, "rb") as file:
            lines = file.read().splitlines(keepends=True)
        if lines and not lines[-1].endswith(b"\n"):
            # A single line without an end may be a file of something else, such as a
            # text, which must not be overwritten.
            if len(lines) == 1 and not lines[0].startswith(b'{"format": '):
                raise self._error("has different content. Use another file")
            lines.pop()
        for number, line in enumerate(lines, 1):
            self._take(number, line)
        self._n_bytes = sum(map(len, lines))

    def _take(self, number, line):
        """Read a line."""
        try:
            content = json.loads(line)
            if number == 1:
                self.header = content
            elif "split" in content:
                self.runs[content["strategy"], content["split"]] = content
            else:
                self.parameters[content["strategy"]] = content["parameters"]
        except (ValueError, TypeError, KeyError) as error:
            raise self._error(
                f"cannot be read in line {number}: {error!r}. Use another file"
            ) from error
        if number == 1:
            self._check_header(content)

    def _check_header(self, content):
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise self._error("has different content. Use another file")
        if content["version"] != VERSION:
            raise self._error(
                f"has the version {content['version']!r} of the format, and this "
                f"release of skactive reads the version {VERSION}. Use another file"
            )

    def open(self, made_of, parameters, facts):
        """Check that the file was made from these inputs, or begin it.

        Parameters
        ----------
        made_of : dict of str to (str or int)
            Inputs of all runs.

        parameters : dict of str to dict of str to str
            Parameters of each strategy.

        facts : dict
            Further content of the first line.

        Raises
        ------
        ValueError
            If the runs of the file were made from other inputs.
        """
        if self.header is not None:
            self._compare(made_of, parameters)
        with open(self.path, "ab") as file:
            file.truncate(self._n_bytes)  # drops a line that was cut short
        if self.header is None:
            first = {"format": FORMAT, "version": VERSION}
            self._append(first | {"made_of": made_of} | facts)
        for strategy, texts in parameters.items():
            if strategy not in self.parameters:
                self._append({"strategy": strategy, "parameters": texts})

    def _compare(self, made_of, parameters):
        # A change of the estimator shows in all strategies, and is reported once.
        common = found = _differences(self.header["made_of"], made_of)
        for strategy, here in parameters.items():
            there = self.parameters.get(strategy, here)
            found = found + [
                f"of the strategy {strategy!r}, {text}"
                for text in _differences(there, here)
                if text not in common
            ]
        if found:
            raise self._error(
                f"was made from other inputs: {'; '.join(found[:5])}. Pass the same "
                "inputs to continue, or use another file"
            )

    def add(self, run):
        """Add a finished run.

        Parameters
        ----------
        run : dict
            JSON; with `strategy` and `split`.
        """
        self.runs[run["strategy"], run["split"]] = run
        self._append(run)

    def _append(self, content):
        line = json.dumps(content, default=_as_json).encode("ascii") + b"\n"
        with open(self.path, "ab") as file:
            file.write(line)
            # A run may have taken hours, so its line must survive a loss of power.
            file.flush()
            os.fsync(file.fileno())

    def _error(self, message):
        return ValueError(f"The file {self.path!r} {message}.")


def _differences(there, here):
    """Describe how the inputs of a file differ from those of now."""
    return [
        _DATA.get(name) or f"{name} was {there[name]}, and is {here[name]}"
        for name in here
        # A parameter that only one side has was added or removed by a release.
        if name in there and there[name] != here[name]
    ]


def _as_json(value):
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    raise TypeError(f"{value!r} cannot be written as JSON.")
