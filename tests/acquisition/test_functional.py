"""Formulas are functions of arrays, in a module apart from the strategies."""

import inspect

from skactive import acquisition
from skactive.acquisition import functional


def test_formulas_are_functions_apart_from_the_strategies():
    assert all(inspect.isfunction(getattr(functional, n)) for n in functional.__all__)
    assert not set(functional.__all__) & set(acquisition.__all__)
    functions = {n for n in acquisition.__all__ if n[0].islower()}
    assert functions == {"get_strategy", "get_strategy_names"}


def test_formulas_are_those_of_the_families():
    modules = {getattr(functional, name).__module__ for name in functional.__all__}
    assert all(module.startswith("skactive.acquisition.") for module in modules)
    assert "skactive.acquisition.functional" not in modules
