"""Query by committee: rows on which several models disagree.

The members of an ensemble, or samples of a posterior, vote or give probabilities.

- How far they disagree: `VoteEntropySampling`, `VariationRatioSampling`,
  `ConsensusEntropySampling`, `MeanStdSampling`.
- How informative a label is about which member is right: `BALDSampling`, and for
batches
  `BatchBALDSampling` and `PowerBALDSampling`.
- What a label would change in the predictions for other rows: `EPIGSampling`,
  `BEMPSSampling`.
"""
