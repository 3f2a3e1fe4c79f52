"""The same queries by other packages, as their documentation has them.

Each function prepares one query of a problem of `bench_acquisition`, with a model that
is fitted already where the package allows it. `PEERS` names those that exist.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import BaggingClassifier
from sklearn.linear_model import LogisticRegression


def activeml(name, given=None, **params):
    """Prepare queries of a strategy; ``given(problem, X, y)`` are their arguments."""

    def prepare(problem):
        import skactiveml.pool

        X, y = problem.X, np.where(problem.labeled, problem.y, np.nan)
        seed, b = problem.random_state, problem.n_queries
        strategy = getattr(skactiveml.pool, name)(random_state=seed, **params)
        if name == "Quire":
            strategy.classes = np.arange(problem.n_classes)
        arguments = {} if given is None else given(problem, X, y)
        return lambda: strategy.query(X, y, batch_size=b, **arguments)

    return prepare


def classifier(problem, model=None):
    from skactiveml.classifier import SklearnClassifier

    model = clone(problem.model) if model is None else model
    classes = np.arange(problem.n_classes)
    return SklearnClassifier(model, classes=classes, random_state=problem.random_state)


def fitted(problem, X, y):
    return {"clf": classifier(problem).fit(X, y), "fit_clf": False}


def fitted_again(problem, X, y):
    return {"clf": classifier(problem).fit(X, y)}


def ten_members(problem, X, y):
    seed = problem.random_state
    model = BaggingClassifier(clone(problem.model), 10, random_state=seed)
    return {"ensemble": classifier(problem, model)}


def discriminator(problem, X, y):
    from skactiveml.classifier import SklearnClassifier

    model = LogisticRegression(class_weight="balanced", max_iter=1000)
    model = SklearnClassifier(model, random_state=problem.random_state)
    return {"discriminator": model}


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
    sizes = problem.n_queries, 40_000 // len(proba)
    return lambda: batch_bald(proba, *sizes, random_state=problem.random_state)


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
        "least_confident": activeml(
            "UncertaintySampling", fitted, method="least_confident"
        ),
        "margin": activeml("UncertaintySampling", fitted, method="margin_sampling"),
        "entropy": activeml("UncertaintySampling", fitted, method="entropy"),
        "bald": activeml_bald,
        "batch_bald": activeml_batch_bald,
        "k_center": activeml("CoreSet"),
        "badge": activeml("Badge", fitted),
        "typiclust": activeml("TypiClust"),
        "prob_cover": activeml("ProbCover"),
        "contrastive": activeml("ContrastiveAL", fitted),
        # One fit for the batch.
        "discriminative": activeml(
            "DiscriminativeAL", discriminator, greedy_selection=True
        ),
        "quire": activeml("Quire", classes=None),
        "expected_error_reduction": activeml(
            "MonteCarloEER", fitted_again, method="log_loss"
        ),
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
    """A round of ours as a problem for the functions above."""

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
        committee = activeml("QueryByCommittee", ten_members, method="vote_entropy")
        prepare = PEERS["scikit-activeml"] | {"vote_entropy": committee}
        model = LogisticRegression(max_iter=1000) if self.model is None else self.model
        seed = int(pool.random_state)
        return prepare[self.name](_Round(pool, n_queries, model, seed))()
