"""Answers that add a class by mistake: other spellings, sentences, single labels."""

from collections import Counter

import numpy as np

# A late class is suspicious once the others have this number of labels on average.
_LABELS_PER_CLASS = 5
# Names of classes have at most this number of words, and sentences twice as many.
_MAX_WORDS = 4


class Spellings:
    """The classes known so far; finds those that a new class only spells differently.

    Parameters
    ----------
    classes : iterable
        The classes known at the beginning.
    """

    def __init__(self, classes):
        self._known = set()
        self._by_form = {}
        for label in classes:
            self.add(label)

    def __contains__(self, label):
        return label in self._known

    def add(self, label):
        """Note a class."""
        self._known.add(label)
        if isinstance(label, str):
            self._by_form.setdefault(_form(label), label)

    def alike(self, label):
        """Return a class that differs only in case or white space, or None.

        None also for a class that is known itself.
        """
        if label in self._known or not isinstance(label, str):
            return None
        return self._by_form.get(_form(label))

    def is_sentence(self, label):
        """Tell whether a new class is a sentence while all others are short names."""
        if label in self._known or not isinstance(label, str) or not self._known:
            return False
        longest = max(len(str(known).split()) for known in self._known)
        return longest <= _MAX_WORDS and len(label.split()) >= 2 * _MAX_WORDS


def _form(text):
    """Return a text without the case and white space in which spellings differ."""
    return "".join(text.split()).casefold()


def late_and_once(given, bought):
    """Find classes that may be mistakes: one label each, bought late.

    A class counts if its only label is among the last half of those that were bought,
    and all other classes have five labels on average.

    Parameters
    ----------
    given : list
        Labels that the run began with.

    bought : list
        Labels that were bought, in their order.

    Returns
    -------
    positions : list of int
        Positions of their labels in `bought`.
    """
    counts = Counter([*given, *bought])
    # Early in a run, most classes have a single label.
    half = len(bought) // 2
    late = [i for i in range(half, len(bought)) if counts[bought[i]] == 1]
    n_others = len(counts) - len(late)
    others = np.sum(list(counts.values())) - len(late)
    return late if n_others and others >= _LABELS_PER_CLASS * n_others else []
