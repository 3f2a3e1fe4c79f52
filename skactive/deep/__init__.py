"""Deep active learning with PyTorch; the extra ``deep`` installs what it takes."""

try:
    import torch  # noqa: F401
except ImportError as error:
    raise ImportError(
        "skactive.deep, and the strategies 'vaal' and 'mal', need torch; install it "
        'with `pip install "skactive[deep]"`.'
    ) from error

from skactive.deep._mal import MALSampling
from skactive.deep._vaal import VAALSampling

__all__ = [
    "MALSampling",
    "VAALSampling",
]
