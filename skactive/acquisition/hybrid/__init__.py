"""Hybrid strategies: rows that are both uncertain and different from each other."""
