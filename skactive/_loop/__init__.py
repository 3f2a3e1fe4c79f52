"""A run of active learning: its inputs, its rounds, and its result."""
