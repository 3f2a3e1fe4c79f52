"""Every public class, method and function has a numpydoc docstring without faults."""

import inspect

from numpydoc.validate import validate

# Layout, and sections that are welcome but not demanded.
IGNORED = {"GL01", "GL02", "ES01", "SA01", "EX01", "RT02", "SS06"}


def own_methods(cls):
    """Names of the public methods and properties that only `cls` itself defines."""
    for name, member in vars(cls).items():
        is_request = type(member).__name__ == "RequestMethod"  # made by scikit-learn
        is_override = any(hasattr(base, name) for base in cls.__mro__[1:])
        if name.startswith("_") or is_request or is_override:
            continue
        if isinstance(member, property) or inspect.isroutine(getattr(cls, name, None)):
            yield name


def documented_objects(module):
    for name in module.__all__:
        member = getattr(module, name)
        if inspect.isclass(member) or inspect.isroutine(member):
            yield f"{module.__name__}.{name}"
        if inspect.isclass(member):
            for method in own_methods(member):
                yield f"{module.__name__}.{name}.{method}"


def test_public_docstrings_are_valid_numpydoc(public_module):
    faults = [
        f"{name}: {code} {message}"
        for name in documented_objects(public_module)
        for code, message in validate(name)["errors"]
        if code not in IGNORED
    ]
    assert not faults, "\n".join(faults)
