"""Uncertainty sampling: rows of which the model is least sure.

Each row is judged by itself: by the probabilities of its classes, by its distance from
the decision boundary, or by the loss that the model is expected to have there.
"""
