"""Oracles: where the labels come from. Any callable is one; these are ours."""

from skactive.oracles._cached import CachedOracle
from skactive.oracles._simulated import SimulatedOracle

__all__ = ["CachedOracle", "SimulatedOracle"]
