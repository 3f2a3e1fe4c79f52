"""Diversity and representativeness: rows that stand for the rest of the pool.

Rows are chosen by where they lie: they cover the pool, are typical of a region, or are
far from everything that is labelled. Most of these strategies need no model.
"""
