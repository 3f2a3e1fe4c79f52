"""The outputs of models for candidates: computed by block, checked, and kept."""

import numpy as np

from skactive._models.any_committee import (
    check_member_proba,
    member_votes,
    predicts_together,
)
from skactive._models.members import MemberOutput
from skactive._pool.facts import read_only
from skactive.utils._capabilities import method_of
from skactive.utils._outputs import (
    check_among,
    check_proba_of,
    codes_of,
    read_proba,
    reader,
)
from skactive.utils._rows import take_rows
from skactive.utils._shown import name_of


class Outputs:
    """The outputs of the models of a round for some of its candidates.

    Each output is computed when it is first read, and kept. There are three views of a
    round, which agree with each other:

    ``"whole"``
        All candidates of the round.
    ``"part"``
        Some of them. An output that its source has is cut; any other is computed for
        these candidates alone.
    ``"block"``
        A part that holds the candidates of one block of rows. It is soon forgotten, and
        the next one follows. So its source does whatever is done once for all blocks:
        it fits a committee whose members predict where they are fitted.

    Parameters
    ----------
    models : RoundModels
        The models of the round.

    candidates : ndarray of shape (n_candidates,), dtype int
        Row numbers of `X`, ascending.

    view : {"whole", "part", "block"}, default="whole"
        Which candidates they are.

    source : Outputs or None, default=None
        The outputs that a part or a block was cut from.

    positions : ndarray of int, or slice, default=None
        Positions of the candidates among those of the source.
    """

    def __init__(self, models, candidates, view="whole", source=None, positions=None):
        self.models = models
        self.candidates = candidates
        self.view = view
        self._source = source
        self._positions = positions
        self._kept = {}

    def cut(self, positions, view="part"):
        """Return the outputs of some of the candidates."""
        candidates = read_only(self.candidates[positions])
        return Outputs(self.models, candidates, view, self, positions)

    def of_models(self, models):
        """Return the outputs of other models for the same candidates."""
        # All views share one predictor. For a part it must not forget the other rows.
        view = "whole" if self.view == "whole" else "part"
        return Outputs(models, self.candidates, view)

    def slices(self):
        """Return a slice of the candidates for each block of rows."""
        return self.models.kept.predictor.slices(
            self.candidates, may_compact=self.view == "whole"
        )

    def proba(self):
        """Return probabilities, (n_candidates, n_classes)."""
        return self.output("predict_proba", self.check_proba)

    def decision_function(self):
        """Return decision values, (n_candidates,) or (n_candidates, n_classes)."""
        return self.output("decision_function", self._check_decision)

    def loss(self):
        """Return the losses that the estimator predicts, (n_candidates,)."""
        return self.output("predict_loss", np.asarray)

    def predictions(self):
        """Return predicted classes as columns of the probabilities, (n_candidates,)."""
        output = self.known("predictions")
        if output is None:
            if self.models.has_output("predict_proba"):
                codes = self._likeliest(self.proba())
            else:
                codes = self.output("predict", self._encode)
            output = self._kept["predictions"] = read_only(codes)
        return output

    def predict(self, rows):
        """Return predicted classes of any rows of `X`, as `predictions` does."""
        has_proba = self.models.has_output("predict_proba")
        method = "predict_proba" if has_proba else "predict"
        predict, codes = reader(self.models.estimator, method), []
        predictor = self.models.kept.predictor
        for part in predictor.slices(rows, may_compact=False):
            output = predictor.predict(predict, rows[part])
            if has_proba:
                codes.append(self._likeliest(self.check_proba(output)))
            else:
                codes.append(self._encode(output))
        return np.concatenate(codes)

    def predict_proba(self, rows):
        """Return the probabilities of any rows of `X`, (n_rows, n_classes)."""
        X = take_rows(self.models.facts.X, rows)
        return self.check_proba(read_proba(self.models.estimator, X))

    def of_members(self, method):
        """Return one output of the members, with the candidates along its axis 1.

        Parameters
        ----------
        method : {"predict", "predict_proba"}
            Votes as columns of the probabilities, or probabilities.
        """
        name = f"member {method}"
        output = self.known(name, axis=1)
        if output is not None:
            return output
        models = self.models
        models.classes  # noqa: B018  # they are known by models in a closed set
        if not models.has_committee:
            # Members that predict where they are fitted do so for all blocks at once.
            whole = self._source if self.view == "block" else self
            whole.fit_committee(name, method)
            output = self.known(name, axis=1)
        if output is None:
            output = self._kept[name] = read_only(self._compute_members(method))
        rows = self.candidates
        models.noticed.see(models.unfitted, name, rows, output, output, axis=1)
        return output

    def known(self, name, axis=0):
        """Return an output that this view has, or one that it was cut from, or None."""
        if name in self._kept or self._source is None:
            return self._kept.get(name)
        output = self._source.known(name, axis)
        if output is None:
            return None
        return output[self._positions] if axis == 0 else output[:, self._positions]

    def output(self, method, check):
        """Return one output of the estimator, computed once."""
        output = self.known(method)
        if output is None:
            output = self._kept[method] = read_only(self._compute(method, check))
        return output

    def _compute(self, method, check):
        slices = self.slices()
        if len(slices) > 1:
            return self._gather(method, check, slices)
        models = self.models
        predict = reader(models.estimator, method)
        with models.watching():
            output = models.kept.predictor.predict(predict, self.candidates)
        checked = check(output)
        models.noticed.see(models.estimator, method, self.candidates, output, checked)
        return checked

    def _gather(self, method, check, slices):
        """Compute an output block by block into one array."""
        out = None
        for positions in slices:
            part = self.cut(positions, "block").output(method, check)
            if out is None:
                out = np.empty((len(self.candidates), *part.shape[1:]), part.dtype)
            out[positions] = part
        return out

    def fit_committee(self, name, method):
        """Fit the committee, and keep the outputs of members that predicted there."""

        def read(predictor):
            slices, classes = self.slices(), self.models.classes
            return MemberOutput(predictor, self.candidates, slices, classes, method)

        said = self.models.fit_committee(read)
        if said is not None:
            self._kept[name] = read_only(np.array(said))

    def _compute_members(self, method):
        slices = self.slices()
        if len(slices) > 1:
            blocks = [self.cut(positions, "block") for positions in slices]
            return np.concatenate([b.of_members(method) for b in blocks], axis=1)
        models, predictor = self.models, self.models.kept.predictor
        committee, classes = models.committee, models.classes
        together = predicts_together(committee, method, classes)
        if together is not None:
            # Not watched: what it raises is about the scale of the features, and more
            # labels do not help.
            return predictor.predict(together, self.candidates, selects=True)
        with models.watching():
            if method == "predict":
                return predictor.predict(
                    lambda X: member_votes(committee, X, classes),
                    self.candidates,
                    axis=1,
                )
            predict = method_of(committee, "predict_member_proba", axis=1)
            proba = predictor.predict(predict, self.candidates, axis=1)
        return check_member_proba(committee, proba, classes)

    def check_proba(self, proba):
        """Check probabilities and bring their columns into the order of `classes`."""
        return check_proba_of(self.models.estimator, proba, self.models.classes)

    def _check_decision(self, decision):
        return check_decision(self.models.estimator, decision, self.models.classes)

    def _likeliest(self, proba):
        return _as_codes(proba.argmax(axis=1), self.models.classes)

    def _encode(self, predicted):
        """Return labels as columns of the probabilities."""
        owner = f"{name_of(self.models.estimator)}.predict"
        classes = self.models.classes
        return _as_codes(codes_of(predicted, classes, owner), classes)


def check_decision(model, decision, classes):
    """Check that decision values are finite and have one column per class.

    Parameters
    ----------
    model : estimator object
        The fitted classifier that gave them.

    decision : array-like
        Decision values.

    classes : ndarray of shape (n_classes,)
        Sorted classes; those of the model must be among them.

    Returns
    -------
    decision : ndarray of shape (n_samples,) or (n_samples, n_classes)
        The values, of two classes in one dimension.
    """
    decision, columns = np.asarray(decision), model.classes_
    n_classes = len(columns)
    check_among(columns, classes, name_of(model))
    if n_classes == 2 and decision.shape[1:] == (1,):
        decision = decision.ravel()
    binary = n_classes == 2 and decision.ndim == 1
    if not binary and decision.shape[1:] != (n_classes,):
        raise ValueError(
            f"{name_of(model)}.decision_function returned an array of shape "
            f"{decision.shape} for {n_classes} classes; expected one column per "
            "class. For SVC set decision_function_shape='ovr'."
        )
    if not np.isfinite(decision).all():
        raise ValueError(
            f"{name_of(model)}.decision_function returned NaN or infinity; check the "
            "estimator and the scale of the features."
        )
    return decision


def _as_codes(codes, classes):
    """Return class numbers in the smallest signed type, which has room for -1."""
    return codes.astype(np.min_scalar_type(-len(classes)))
