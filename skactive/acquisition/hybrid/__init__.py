"""Hybrid strategies: rows that are informative and also diverse or representative.

- A batch of uncertain rows that differ: `BADGESampling`, `FALCUNSampling`,
  `ClusterUncertainSampling`, `ClusterMarginSampling`.
- Uncertain rows that represent others: `DensitySampling`, `UHerdingSampling`,
  `SuggestiveAnnotationSampling`, `QUIRESampling`.
- Rows whose predictions differ from those of their neighbours: `ContrastiveSampling`.
- From covering the pool to uncertainty, as the model learns: `AutoSampling`.
"""
