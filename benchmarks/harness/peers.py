"""The same queries by other packages, as their documentation has them.

Each function prepares one query of a problem of `bench_acquisition`, with a model that
is fitted already where the package allows it. `PEERS` names those that exist.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import BaggingClassifier
from sklearn.linear_model import LogisticRegression


def _missing(problem):
    """Return labels with NaN where they are unknown."""
    return np.where(problem.labeled, problem.y, np.nan)


def _activeml_classifier(problem, model=None):
    from skactiveml.classifier import SklearnClassifier

    model = clone(problem.model) if model is None else model
    return SklearnClassifier(
        model, classes=np.arange(problem.n_classes), random_state=problem.random_state
    )


def activeml_with_model(name, **params):
    """Prepare queries of strategies that look at a fitted classifier."""

    def prepare(problem):
        import skactiveml.pool

        X, y = problem.X, _missing(problem)
        clf = _activeml_classifier(problem).fit(X, y)
        strategy = getattr(skactiveml.pool, name)(
            random_state=problem.random_state, **params
        )
        b = problem.n_queries
        return lambda: strategy.query(X, y, clf, fit_clf=False, batch_size=b)

    return prepare


def activeml_without_model(name, **params):
    """Prepare queries of strategies that look at the features only."""

    def prepare(problem):
        import skactiveml.pool

        X, y = problem.X, _missing(problem)
        strategy = getattr(skactiveml.pool, name)(
            random_state=problem.random_state, **params
        )
        return lambda: strategy.query(X, y, batch_size=problem.n_queries)

    return prepare


def activeml_committee(problem, n_members=10):
    from skactiveml.pool import QueryByCommittee

    X, y = problem.X, _missing(problem)
    seed = problem.random_state
    model = BaggingClassifier(clone(problem.model), n_members, random_state=seed)
    members = _activeml_classifier(problem, model)
    strategy = QueryByCommittee(method="vote_entropy", random_state=seed)
    return lambda: strategy.query(X, y, members, batch_size=problem.n_queries)


def activeml_bald(problem):
    from skactiveml.pool import average_kl_divergence

    # It writes into its argument.
    proba = problem.pool_with_members.member_proba.copy()
    return lambda: average_kl_divergence(proba)


def activeml_batch_bald(problem):
    from skactiveml.pool import batch_bald

    # It writes into its argument.
    proba = problem.pool_with_members.member_proba.copy()
    # As many sampled configurations in all as ours has.
    n_each = 40_000 // len(proba)
    return lambda: batch_bald(
        proba, problem.n_queries, n_each, random_state=problem.random_state
    )


def activeml_discriminative(problem):
    from skactiveml.classifier import SklearnClassifier
    from skactiveml.pool import DiscriminativeAL

    X, y = problem.X, _missing(problem)
    model = LogisticRegression(class_weight="balanced", max_iter=1000)
    model = SklearnClassifier(model, random_state=problem.random_state)
    # One fit for the batch.
    strategy = DiscriminativeAL(
        greedy_selection=True, random_state=problem.random_state
    )
    b = problem.n_queries
    return lambda: strategy.query(X, y, discriminator=model, batch_size=b)


def activeml_quire(problem):
    from skactiveml.pool import Quire

    X, y = problem.X, _missing(problem)
    strategy = Quire(
        classes=np.arange(problem.n_classes), random_state=problem.random_state
    )
    return lambda: strategy.query(X, y, batch_size=problem.n_queries)


def activeml_expected_error(problem):
    from skactiveml.pool import MonteCarloEER

    X, y = problem.X, _missing(problem)
    clf = _activeml_classifier(problem).fit(X, y)
    strategy = MonteCarloEER(method="log_loss", random_state=problem.random_state)
    return lambda: strategy.query(X, y, clf, batch_size=problem.n_queries)


def modal(name):
    def prepare(problem):
        import modAL.uncertainty

        sample = getattr(modAL.uncertainty, name)
        model, X = problem.fitted, problem.X[problem.candidates]
        return lambda: sample(model, X, n_instances=problem.n_queries)

    return prepare


def modal_density(problem):
    from modAL.density import information_density
    from modAL.uncertainty import classifier_margin

    model, X = problem.fitted, problem.X[problem.candidates]

    def run():
        scores = (1 - classifier_margin(model, X)) * information_density(X, "cosine")
        np.argpartition(-scores, problem.n_queries)[: problem.n_queries]

    return run


def small_text(name, **params):
    """Prepare queries of small-text, on dense features that are their own embedding."""

    def prepare(problem):
        import small_text as package

        data = package.SklearnDataset(
            problem.X, problem.y, target_labels=np.arange(problem.n_classes)
        )
        known, others = np.flatnonzero(problem.labeled), problem.candidates
        clf = package.SklearnClassifier(clone(problem.model), problem.n_classes)
        clf.fit(data[known])
        strategy = getattr(package, name)(**params)
        query = (clf, data, others, known, problem.y[known], problem.n_queries)
        embeddings = {}
        if isinstance(strategy, package.EmbeddingBasedQueryStrategy):
            embeddings = {"embeddings": problem.X, "pbar": None}
        return lambda: strategy.query(*query, **embeddings)

    return prepare


PEERS = {
    "scikit-activeml": {
        "least_confident": activeml_with_model(
            "UncertaintySampling", method="least_confident"
        ),
        "margin": activeml_with_model("UncertaintySampling", method="margin_sampling"),
        "entropy": activeml_with_model("UncertaintySampling", method="entropy"),
        "bald": activeml_bald,
        "batch_bald": activeml_batch_bald,
        "k_center": activeml_without_model("CoreSet"),
        "badge": activeml_with_model("Badge"),
        "typiclust": activeml_without_model("TypiClust"),
        "prob_cover": activeml_without_model("ProbCover"),
        "contrastive": activeml_with_model("ContrastiveAL"),
        "discriminative": activeml_discriminative,
        "quire": activeml_quire,
        "expected_error_reduction": activeml_expected_error,
    },
    "small-text": {
        "least_confident": small_text("LeastConfidence"),
        "margin": small_text("BreakingTies"),
        "entropy": small_text("PredictionEntropy"),
        "k_center": small_text("GreedyCoreset", normalize=False),
    },
    "modAL-python": {
        "least_confident": modal("uncertainty_sampling"),
        "margin": modal("margin_sampling"),
        "entropy": modal("entropy_sampling"),
        "density": modal_density,
    },
}


@dataclass
class _Round:
    """A round of ours as a problem of the functions above."""

    pool: object
    n_queries: int
    model: object
    random_state: int

    def __post_init__(self):
        self.X, self.y = self.pool.X, self.pool.y
        self.labeled, self.n_classes = self.pool.labeled, len(self.pool.classes)


class ActiveMLStrategy(BaseEstimator):
    """A strategy of scikit-activeml in a run of ours, for classes 0, 1, 2 and so on."""

    def __init__(self, name, model=None):
        self.name = name
        self.model = model

    def select(self, pool, n_queries):
        prepare = {**PEERS["scikit-activeml"], "vote_entropy": activeml_committee}
        model = LogisticRegression(max_iter=1000) if self.model is None else self.model
        seed = int(pool.random_state)
        return prepare[self.name](_Round(pool, n_queries, model, seed))()
