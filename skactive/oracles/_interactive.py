"""A mixin for oracles that talk to the person in front of this process."""

import copy
import pickle


class InteractiveOracleMixin:
    """Makes an oracle refuse to be sent to another process.

    A worker has no terminal and no page, so that a question there would never be seen.
    Copies within the process are allowed; they have the same parameters.
    """

    def __reduce_ex__(self, protocol):
        raise pickle.PicklingError(
            f"An interactive oracle needs n_jobs=1: {type(self).__name__} talks to the "
            "person in front of this process and cannot be pickled into another one. "
            "Set n_jobs=1 in the search or cross-validation around the classifier "
            "(n_jobs of ActiveLearningClassifier itself may stay, its workers never "
            "ask). To save a classifier that is not fitted yet, set oracle=None, and "
            "pass the oracle to fit(X, y, oracle=...)."
        )

    def __copy__(self):
        return type(self)(**self.get_params(deep=False))

    def __deepcopy__(self, memo):
        return type(self)(**copy.deepcopy(self.get_params(deep=False), memo))
