"""Oracles: where the labels come from. Any callable is one; these are built in."""

from skactive.oracles._cached import CachedOracle
from skactive.oracles._ids_of_rows import ids_of_rows
from skactive.oracles._majority import MajorityOracle
from skactive.oracles._run_facts import RunFacts
from skactive.oracles._simulated import SimulatedOracle
from skactive.oracles._terminal import TerminalOracle

__all__ = [
    "CachedOracle",
    "MajorityOracle",
    "RunFacts",
    "SimulatedOracle",
    "TerminalOracle",
    "ids_of_rows",
]
