"""T82 and T83: containers of other libraries, and rows with names."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import csr_array
from sklearn.svm import SVC

from skactive.oracles import CachedOracle, SimulatedOracle

IDS = np.arange(21)
STRINGS = np.dtypes.StringDType() if hasattr(np.dtypes, "StringDType") else object


def test_t82_other_containers_are_taken_as_they_are_or_refused_with_the_remedy(
    make_clf, logging_oracle, X, truth, y
):
    rows, columns = np.nonzero(X)
    large = csr_array((X[rows, columns], (rows, columns)), shape=X.shape)
    nulls = pl.Series([None if label < 0 else int(label) for label in y])
    texts = np.array(["?" if v < 0 else "no yes".split()[v] for v in y])
    clf = make_clf(lambda X: (X.toarray()[:, 0] > 0.5).astype(int), estimator=SVC())
    assert clf.fit(large, y).predict(large).tolist()[::20] == [0, 1]
    assert large.indices.dtype == np.int64
    clf = make_clf(logging_oracle(), missing_label=None).fit(X, nulls)
    assert clf.classes_.dtype.kind == "i"
    names = np.array(["no", "yes"])
    clf = make_clf(lambda X: names[(X[:, 0] > 0.5) * 1], missing_label="?")
    clf.fit(X, texts.astype(STRINGS))
    assert clf.classes_.tolist() == ["no", "yes"]
    oracle = logging_oracle()
    with pytest.raises(TypeError, match=r"pass X\.collect\(\)"):
        make_clf(oracle).fit(pl.DataFrame(X).lazy(), y)
    assert oracle.n_calls == 0


def test_t83_rows_with_names_go_by_id_or_by_position_and_never_by_a_guess(
    make_clf, X, truth, y, tmp_path
):
    labels = pd.Series(truth, index=IDS)
    oracle = CachedOracle(
        lambda X, sample_ids: labels.loc[sample_ids[::-1]], tmp_path / "labels.sqlite"
    )
    clf = make_clf(oracle).fit(X, y, sample_ids=IDS)
    asked = clf.query_indices_
    assert (clf.transduction_[asked] == truth[asked]).all()
    oracle.close()
    oracle = SimulatedOracle(labels[::-1])
    with pytest.warns(UserWarning, match="looks ids up in the index"):
        clf = make_clf(oracle).fit(X, y, sample_ids=IDS)
    assert (clf.transduction_[asked] == truth[asked]).all()
    frame = pd.DataFrame(X, columns=["a"])
    for name, given in [("y", {}), ("cost", {"cost": pd.Series(1.0, index=IDS[::-1])})]:
        target = pd.Series(y, index=IDS[::-1]) if name == "y" else y
        with pytest.raises(ValueError, match=f"^{name} and X have different indices"):
            make_clf(oracle).fit(frame, target, sample_ids=IDS, **given)
