"""Stopping: when further labels are not worth their price."""

from skactive.stopping._base import FunctionCriterion

__all__ = ["FunctionCriterion"]
