"""A registry of classes: from a name, an object or a function to an object."""

import difflib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from skactive.utils._shown import is_table, shown


@dataclass(frozen=True)
class Registry:
    """Names of classes of one kind, each imported when it is used.

    Attributes
    ----------
    classes : dict of str to str
        ``"module:Class"`` for each name; a module with a leading dot is in `package`.

    package : str
        Package of the relative modules.

    noun : str
        Kind of the classes, for messages: "There is no ...".

    parameter : str
        The parameter that takes a name, an object or a function.

    methods : tuple of str
        Methods of which an object has at least one.

    wrap : callable
        Makes an object from a function.

    expected : str
        Values that the parameter takes, for messages: "must be ...".
    """

    classes: dict[str, str]
    package: str
    noun: str
    parameter: str
    methods: tuple[str, ...]
    wrap: Callable
    expected: str

    def load(self, name):
        """Import the class of a name.

        Parameters
        ----------
        name : str
            One of `classes`.

        Returns
        -------
        class_ : type
            The class.

        Raises
        ------
        ValueError
            If there is no class of this name; a similar name is suggested.
        """
        if name not in self.classes:
            close = difflib.get_close_matches(name, self.classes, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise ValueError(
                f"There is no {self.noun} {name!r}.{hint} Available are "
                f"{sorted(self.classes)}."
            )
        module, class_name = self.classes[name].split(":")
        return getattr(import_module(module, self.package), class_name)

    def get(self, given):
        """Return an object for a name, an object or a function.

        Parameters
        ----------
        given : str, object or callable
            A name makes a new object, a function is wrapped.

        Returns
        -------
        found : object
            The same one for an object.

        Raises
        ------
        ValueError
            If there is no class of this name.
        TypeError
            If it is a class, or none of the values that the parameter takes.
        """
        if isinstance(given, str):
            return self.load(given)()
        if inspect.isclass(given):
            raise TypeError(
                f"{self.parameter} is the class {given.__name__}; pass an object of "
                f"it, {given.__name__}()."
            )
        # A dict has a method `update`, too, and so has a data frame.
        is_data = type(given).__module__ == "builtins" or is_table(given)
        if not is_data and any(hasattr(given, method) for method in self.methods):
            return given
        if callable(given):
            return self.wrap(given)
        raise TypeError(
            f"{self.parameter} must be {self.expected}, got {shown(given)}."
        )
