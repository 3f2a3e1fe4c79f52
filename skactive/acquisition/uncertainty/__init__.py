"""Uncertainty sampling: rows about which the model is least sure.

Each row is judged by itself: by the probabilities of its classes or its distance from
the decision boundary (`LeastConfidentSampling`, `MarginSampling`, `EntropySampling`),
or by the loss that the model is predicted to have there (`LossPredictionSampling`).
"""
