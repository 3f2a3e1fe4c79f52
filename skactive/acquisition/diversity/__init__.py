"""Diversity and representativeness: rows that represent the rest of the pool.

Rows are chosen by their features alone. None of these strategies needs a model.

- Rows in the middle of clusters, or in dense places: `KMeansSampling`,
`TypiClustSampling`,
  `GraphDensitySampling`, `HierarchicalSampling`.
- Rows that together cover the pool: `KCenterSampling` (the core-set approach),
  `FacilityLocationSampling`, `ProbCoverSampling`, `MaxHerdingSampling`.
- Unlike all labelled rows: `DiscriminativeSampling`.
"""
