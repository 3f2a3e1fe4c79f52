"""The pool: one round of a run, as strategies and stopping criteria see it."""
