"""Checks for strategies, criteria and oracles of your own, and pools for tests."""

from skactive.testing._label_store import check_label_store
from skactive.testing._oracle import check_oracle
from skactive.testing._pool import make_pool
from skactive.testing._stopping import check_stopping_criterion
from skactive.testing._strategy import check_strategy

__all__ = [
    "check_label_store",
    "check_oracle",
    "check_stopping_criterion",
    "check_strategy",
    "make_pool",
]
