"""Strategies that keep data of the size of `X` from round to round."""

from skactive.acquisition._base import BaseStrategy


class KeepingStrategy(BaseStrategy):
    """A strategy that keeps data of the size of `X` in `kept_`.

    It is useless outside its run, and is not pickled.
    """

    def __getstate__(self):
        state = super().__getstate__()
        return {name: state[name] for name in state if name != "kept_"}
