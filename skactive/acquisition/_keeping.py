"""Strategies that keep something as large as the data from round to round."""

from skactive.acquisition._base import BaseStrategy


class KeepingStrategy(BaseStrategy):
    """A strategy that keeps something as large as the data in `kept_`.

    It is useless outside its run, and is not pickled.
    """

    def __getstate__(self):
        state = super().__getstate__()
        return {name: state[name] for name in state if name != "kept_"}
