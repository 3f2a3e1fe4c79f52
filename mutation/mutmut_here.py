"""mutmut with the settings of this project; `run.py` calls it with mutmut options."""

import sys

import libcst as cst
from mutmut.__main__ import cli
from mutmut.mutation import file_mutation, mutators, trampoline


class Visitor(file_mutation.MutationVisitor):
    """Leaves strings out, because messages need no test for each word."""

    def on_visit(self, node):
        return not isinstance(node, cst.BaseString) and super().on_visit(node)


def drop_call(node):
    """Drop a call whose result is not used, such as ``file.flush()``."""
    if isinstance(node.value, cst.Call):
        yield cst.Pass()


if __name__ == "__main__":
    file_mutation.MutationVisitor = Visitor
    mutators.mutation_operators += [
        (cst.Expr, drop_call),
        (cst.If, mutators.operator_if_exp),  # either branch, as in `a if b else c`
    ]
    # Warnings point at the first frame outside the package; those of mutmut are inside.
    trampoline.__name__ = "skactive"
    cli(sys.argv[1:])
