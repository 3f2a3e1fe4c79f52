"""Oracles: where the labels come from. Any callable is one; these are ours."""

from skactive.oracles._majority import MajorityOracle
from skactive.oracles._simulated import SimulatedOracle
from skactive.oracles._terminal import TerminalOracle

__all__ = ["MajorityOracle", "SimulatedOracle", "TerminalOracle"]
