"""Classifiers of other packages, with a strategy of each family: what comes out.

Whatever the classifier thinks of labels, the run must buy its budget, answer in the
user's labels, and end with the model that a fit by hand on the same labels gives.
"""

import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import LabelEncoder, StandardScaler

from skactive import ActiveLearningClassifier
from skactive._models.label_codes import CodedClassifier
from skactive.utils._pipelines import last_step

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[1] / "doc" / "user_guide" / "works_with.rst"
# One of each family: uncertainty, committee, core set, gradient embedding, mixture.
FAMILIES = ["margin", "vote_entropy", "k_center", "badge", "auto"]
LABELS = {
    "codes": np.array([0, 1, 2]),
    "gaps": np.array([0, 2, 5]),
    "texts": np.array(["ham", "spam", "unsure"], dtype=object),
}
N_TRAIN, N_LABELED, BUDGET = 220, 30, 20


def xgboost():
    from xgboost import XGBClassifier

    return XGBClassifier(n_estimators=15, max_depth=3, random_state=0, n_jobs=1)


def lightgbm():
    from lightgbm import LGBMClassifier

    # By default a leaf needs 20 rows.
    return LGBMClassifier(
        n_estimators=15, min_child_samples=3, random_state=0, n_jobs=1, verbose=-1
    )


def catboost():
    from catboost import CatBoostClassifier

    return CatBoostClassifier(
        iterations=15,
        depth=3,
        random_seed=0,
        thread_count=1,
        verbose=0,
        allow_writing_files=False,
    )


def perpetual():
    from perpetual import PerpetualClassifier

    return PerpetualClassifier(budget=0.3, num_threads=1)


def boosting_machine():
    from interpret.glassbox import ExplainableBoostingClassifier

    return ExplainableBoostingClassifier(
        max_rounds=300, outer_bags=2, interactions=0, n_jobs=1, random_state=0
    )


def forest_of_intel():
    from sklearnex.ensemble import RandomForestClassifier

    return RandomForestClassifier(10, random_state=0, n_jobs=1)


def boosted_rules():
    from imodels import BoostedRulesClassifier

    return BoostedRulesClassifier(n_estimators=5, random_state=0)


def clean_learning():
    from cleanlab.classification import CleanLearning

    return CleanLearning(LogisticRegression(max_iter=1000), cv_n_folds=2, seed=0)


def oversampling():
    from imblearn.over_sampling import RandomOverSampler
    from imblearn.pipeline import make_pipeline

    return make_pipeline(
        StandardScaler(), RandomOverSampler(random_state=0), LogisticRegression()
    )


def balanced_forest():
    from imblearn.ensemble import BalancedRandomForestClassifier

    return BalancedRandomForestClassifier(10, random_state=0, n_jobs=1)


def tabular():
    from skrub import tabular_pipeline

    return tabular_pipeline(LogisticRegression(max_iter=1000))


class Network:
    """Makes a net of skorch for rows of 4 x 5 numbers; it wants the labels 0, 1, 2."""

    def __call__(self):
        import torch
        from skorch import NeuralNetClassifier

        torch.manual_seed(0)
        layers = torch.nn.Sequential(
            torch.nn.Flatten(), torch.nn.Linear(20, 3), torch.nn.Softmax(dim=-1)
        )
        return NeuralNetClassifier(
            layers,
            criterion=torch.nn.NLLLoss,
            optimizer=torch.optim.Adam,
            lr=0.01,
            max_epochs=30,
            train_split=None,
            verbose=0,
        )


ESTIMATORS = {
    "xgboost: XGBClassifier": xgboost,
    "lightgbm: LGBMClassifier": lightgbm,
    "catboost: CatBoostClassifier": catboost,
    "perpetual: PerpetualClassifier": perpetual,
    "interpret: ExplainableBoostingClassifier": boosting_machine,
    "scikit-learn-intelex: RandomForestClassifier": forest_of_intel,
    "imodels: BoostedRulesClassifier": boosted_rules,
    "cleanlab: CleanLearning": clean_learning,
    "imbalanced-learn: Pipeline with a sampler": oversampling,
    "imbalanced-learn: BalancedRandomForestClassifier": balanced_forest,
    "skrub: tabular_pipeline": tabular,
    "skorch: NeuralNetClassifier on rows of 4 x 5": Network(),
}
PACKAGES = {
    "interpret": "interpret",
    "scikit-learn-intelex": "sklearnex",
    "imbalanced-learn": "imblearn",
}
# They misread or refuse all labels but 0, 1, ..., and get codes.
WANT_CODES = {
    "xgboost: XGBClassifier",
    "imodels: BoostedRulesClassifier",
    "cleanlab: CleanLearning",
    "skorch: NeuralNetClassifier on rows of 4 x 5",
}
every_estimator = pytest.mark.parametrize("name", ESTIMATORS)


def make(name):
    package = name.split(":")[0]
    pytest.importorskip(PACKAGES.get(package, package))
    return ESTIMATORS[name]()


def data(name, kind):
    """Return rows as the estimator wants them, labels, and which are given."""
    X, codes = make_classification(
        300, n_features=20, n_informative=8, n_classes=3, class_sep=2.0, random_state=0
    )
    if name.startswith("skrub"):
        X = pd.DataFrame(X, columns=[f"x{i}" for i in range(20)])
        X["letter"] = np.array(list("abc"))[codes]
    if name.startswith("skorch"):
        X = X.astype(np.float32).reshape(-1, 4, 5)
    given = np.random.default_rng(0).permutation(N_TRAIN)[:N_LABELED]
    return X, LABELS[kind][codes], given


def rows_of(X, rows):
    return X.iloc[rows] if hasattr(X, "iloc") else X[rows]


def run(name, kind="codes", strategy="margin", given=None, **params):
    """Fit on all rows but the last, which are kept for tests; return what is known."""
    X, truth, labeled = data(name, kind)
    labeled = labeled if given is None else given
    missing = None if kind == "texts" else -1
    y = np.full(N_TRAIN, missing, dtype=truth.dtype)
    y[labeled] = truth[labeled]
    clf = ActiveLearningClassifier(
        make(name),
        oracle=lambda X, sample_ids: truth[sample_ids],
        strategy=strategy,
        missing_label=missing,
        batch_size=5,
        budget=BUDGET,
        random_state=0,
        **params,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        clf.fit(rows_of(X, np.arange(N_TRAIN)), y, sample_ids=np.arange(N_TRAIN))
    return clf, X, truth


def check_outcome(clf, X, truth):
    """The labels are those of the table, the model that of a fit by hand on them."""
    assert clf.n_queries_ == BUDGET
    bought = clf.query_indices_
    assert (clf.transduction_[bought] == truth[bought]).all()
    rows = np.flatnonzero(clf.labeled_iter_ >= 0)
    encoder = LabelEncoder().fit(truth[rows])
    by_hand = clone(clf.estimator).fit(
        rows_of(X, rows), encoder.transform(truth[rows]).astype(np.int64)
    )
    test = np.arange(N_TRAIN, len(truth))
    X_test = rows_of(X, test)
    expected = encoder.inverse_transform(np.ravel(by_hand.predict(X_test)).astype(int))
    predicted = clf.predict(X_test)
    assert predicted.shape == (len(test),)
    assert clf.classes_.tolist() == encoder.classes_.tolist()
    assert (predicted == expected).mean() > 0.95
    assert clf.score(X_test, truth[test]) == np.mean(predicted == truth[test]) > 0.5


@every_estimator
@pytest.mark.parametrize("kind", LABELS)
def test_labels_of_every_kind_come_back_from_real_estimators(name, kind):
    clf, X, truth = run(name, kind)
    check_outcome(clf, X, truth)
    gets_codes = isinstance(last_step(clf.estimator_), CodedClassifier)
    assert gets_codes == (kind != "codes" and name in WANT_CODES)


@every_estimator
@pytest.mark.parametrize("strategy", FAMILIES[1:])
def test_a_strategy_of_each_family_runs_on_real_estimators(name, strategy):
    check_outcome(*run(name, "gaps", strategy, committee=3))


@every_estimator
def test_real_estimators_start_without_any_label(name):
    clf, X, truth = run(name, "texts", given=[], initial_size=12)
    check_outcome(clf, X, truth)
    assert set(clf.classes_) == set(truth)


def test_the_guide_lists_these_estimators_and_no_others():
    page = PAGE.read_text(encoding="utf-8")
    rows = dict(
        re.findall(r"^   \* - (\S.*: .*)\n     - [\d.]+\n     - (.*)$", page, re.M)
    )
    wanted = dict.fromkeys(WANT_CODES, "any, as codes")
    assert rows == {name: wanted.get(name, "any") for name in ESTIMATORS}
