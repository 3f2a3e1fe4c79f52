"""The parts of `strategies.py`: what is run, what it comes to, tables and pictures."""
