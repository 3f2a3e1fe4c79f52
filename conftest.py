"""What holds for tests, docstrings and the user guide alike."""

import importlib.util
import os

# Before numpy is imported: BLAS threads of two processes fight for the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

# What is about networks needs torch, which the other tests do without.
collect_ignore_glob = []
if importlib.util.find_spec("torch") is None:
    collect_ignore_glob += ["skactive/deep/*", "tests/deep"]
    collect_ignore_glob += [
        f"doc/user_guide/{page}.rst" for page in ("adversarial", "deep")
    ]
