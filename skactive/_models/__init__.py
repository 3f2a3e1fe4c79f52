"""The models of a round: how classifiers and committees are fitted and read."""
