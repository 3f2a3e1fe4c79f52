"""The number of threads that BLAS may use: one, if the matrices are small."""

import math
from contextlib import nullcontext
from functools import cache

from threadpoolctl import ThreadpoolController

# With fewer numbers than this to fit on, a second thread costs more than it saves, and
# threads of several workers take the cores from each other.
_SMALL = 1_000_000


@cache
def _controller():
    # Finding the libraries takes milliseconds, limiting them microseconds.
    return ThreadpoolController()


def one_thread():
    """Return a context in which BLAS and OpenMP use one thread."""
    return _controller().limit(limits=1)


def few_threads(X):
    """Return a context for a fit on `X`, where BLAS uses one thread if `X` is small."""
    # OpenMP is left alone, as boosting uses it for loops over rows, which do gain from
    # several threads.
    n_numbers = math.prod(getattr(X, "shape", (0,)))
    if n_numbers > _SMALL:
        return nullcontext()
    return _controller().limit(limits=1, user_api="blas")
