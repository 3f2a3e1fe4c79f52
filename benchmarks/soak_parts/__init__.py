"""The parts of `soak.py`: its problem, server, workers, journals and checks."""
