"""Expected model change: rows whose label would change the model most.

The change is measured by the gradient that a label would add, or by what it would add
to the Fisher information.
"""
