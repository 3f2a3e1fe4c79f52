"""Hybrid strategies: rows that are informative, and diverse or representative as well.

- A batch of uncertain rows that differ: `BADGESampling`, `FALCUNSampling`,
  `ClusterUncertainSampling`, `ClusterMarginSampling`.
- Uncertain rows that represent others: `DensitySampling`, `UHerdingSampling`,
  `SuggestiveAnnotationSampling`, `QUIRESampling`.
- Rows that are predicted otherwise than their neighbours: `ContrastiveSampling`.
- From covering the pool to uncertainty, as the model learns: `AutoSampling`.
"""
