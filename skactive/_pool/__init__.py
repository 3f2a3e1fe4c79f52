"""What a strategy sees of one round: facts, and model outputs computed when read."""
