"""Strategies made of strategies: mixtures, filters, prices and bandits."""
