"""Strategies made of other strategies: they take names or objects, and nest.

- Utilities combined into one: `Product`, `WeightedSum`, `PerCost`.
- Some of the candidates shown to another strategy: `Prefilter`, `Subsample`.
- Strategies that take turns: `Alternate`, `EpsilonGreedy`, and `ALBLSampling`, which
  learns whose turn it should be.
- Another model to select with: `Proxy`.
"""
