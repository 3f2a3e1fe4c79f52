"""Training dynamics: rows whose predictions change while a model is trained."""
