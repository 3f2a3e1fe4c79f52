"""From a name, an object or a function to an object: what registries share."""

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
        For each name ``"module:Class"``; a module with a leading dot is one of
        `package`.

    package : str
        Where relative modules are.

    noun : str
        What a name stands for, after "There is no".

    parameter : str
        The parameter that takes a name, an object or a function.

    methods : tuple of str
        An object has one of these.

    wrap : callable
        Makes an object of a function.

    expected : str
        What the parameter takes, after "must be".
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
            If there is no such name; one that is spelt alike is proposed.
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
            If there is no such name.
        TypeError
            If it is a class, or nothing that could be meant.
        """
        if isinstance(given, str):
            return self.load(given)()
        if inspect.isclass(given):
            raise TypeError(
                f"{self.parameter} is the class {given.__name__}; pass an object of "
                f"it, {given.__name__}()."
            )
        # A dict, or a data frame, has a method of the name of ours.
        is_data = type(given).__module__ == "builtins" or is_table(given)
        if not is_data and any(hasattr(given, method) for method in self.methods):
            return given
        if callable(given):
            return self.wrap(given)
        raise TypeError(
            f"{self.parameter} must be {self.expected}, got {shown(given)}."
        )
