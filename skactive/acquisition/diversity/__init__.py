"""Diversity and representativeness: rows that represent the rest of the pool.

Rows are chosen by their features alone. None of these strategies needs a model.

- In the middle of clusters, or in dense places: `KMeansSampling`, `TypiClustSampling`,
  `GraphDensitySampling`, `HierarchicalSampling`.
- So that they cover the pool: `KCenterSampling` (the core-set approach),
  `FacilityLocationSampling`, `ProbCoverSampling`, `MaxHerdingSampling`.
- Unlike everything that is labelled: `DiscriminativeSampling`.
"""
