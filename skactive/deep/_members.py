"""Predictions of fitted networks: probabilities of members, their mean, embeddings."""

from abc import abstractmethod

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from skactive.deep._inputs import check_rows
from skactive.deep._modules import first_output, run_to_head, view
from skactive.deep._nets import to_proba


class MemberPredictionsMixin:
    """Predicts with the members of a fitted classifier.

    A member is anything that gives probabilities: a network, a mask of one, a head. The
    classifier says how many there are (`_n_members`) and runs them (`_run_members`);
    its networks are in `nets_`.
    """

    def predict_member_proba(self, X):
        """Predict the probabilities of each member.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Rows.

        Returns
        -------
        proba : ndarray of shape (n_members, n_samples, n_classes)
            Probabilities in the order of `classes_`.
        """
        check_is_fitted(self)
        X = check_rows(self, X, reset=False)
        out = np.empty((self._n_members, len(X), len(self.classes_)))
        for members, rows, output in self._run_members(X):
            out[members, rows] = to_proba(self.nets_[0], output)
        return out

    def predict_proba(self, X):
        """Predict probabilities, the mean over the members.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Rows.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            Probabilities in the order of `classes_`.
        """
        check_is_fitted(self)
        return self._mean_proba(check_rows(self, X, reset=False))

    def _mean_proba(self, X):
        return self._mean_of(self._run_members(X), len(X), self._n_members)

    def _mean_of(self, outputs, n_rows, n_members):
        """Return the mean probabilities of members, without keeping those of each."""
        out = np.zeros((n_rows, len(self.classes_)))
        for _, rows, output in outputs:
            out[rows] += to_proba(self.nets_[0], output).sum(axis=0)
        return out / n_members

    def predict(self, X):
        """Predict the class of the highest probability.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Rows.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Classes.
        """
        columns = self.predict_proba(X).argmax(axis=1)
        return self.classes_[columns]

    def embed(self, X):
        """Return the features of rows before the last layer of the networks.

        It is deterministic: nothing is dropped and nothing is drawn.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Rows.

        Returns
        -------
        embedding : ndarray of shape (n_samples, n_components), dtype float32
            The input of the part `head`; side by side, if there are several networks.
        """
        check_is_fitted(self)
        X = check_rows(self, X, reset=False)
        modules = [self._module_for_embedding(i) for i in range(self._n_embeddings)]
        parts = []
        with torch.inference_mode():
            for rows in blocks(len(X), self.block_size):
                block = self._to_device(X[rows])
                parts.append(
                    torch.cat(
                        [run_to_head(m, self._head, block).cpu() for m in modules], 1
                    )
                )
        return torch.cat(parts).numpy()

    @property
    @abstractmethod
    def _n_members(self):
        """Number of members."""

    @abstractmethod
    def _run_members(self, X):
        """Yield slices of members and of rows, and logits (members, rows, classes)."""

    def _run_views(self, X, modules):
        """Yield the same for networks each of which is a member."""
        for number, module in enumerate(modules):
            for rows in blocks(len(X), self.block_size):
                with torch.inference_mode():
                    output = first_output(module(self._to_device(X[rows])))
                yield slice(number, number + 1), rows, output.unsqueeze(0)

    @property
    def _n_embeddings(self):
        """Number of networks that embed."""
        return len(self.nets_)

    def _module_for_embedding(self, number):
        """Return a view of a network that draws nothing."""
        return view(self._network(number))

    def _to_device(self, rows):
        return torch.as_tensor(rows).to(self.nets_[0].device)


def blocks(n_rows, size):
    """Yield slices of at most `size` rows."""
    for start in range(0, n_rows, size):
        yield slice(start, min(start + size, n_rows))
