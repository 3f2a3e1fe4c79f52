"""Combinations: strategies built from other strategies, which may be nested.

- Utilities combined into one: `Product`, `WeightedSum`, `PerCost`.
- Some of the candidates shown to another strategy: `Prefilter`, `Subsample`.
- Strategies that take turns: `Alternate`, `EpsilonGreedy`, and `ALBLSampling`, which
  learns whose turn it should be.
- Another model to select with: `Proxy`.
"""
