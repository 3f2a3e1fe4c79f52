"""The checks of the project, each in an environment of its own: `nox -s NAME`."""

import tempfile
from pathlib import Path

import nox

nox.options.sessions = ["lint", "tests", "doc", "build"]
nox.options.reuse_existing_virtualenvs = True

ONE_THREAD = {"OMP_NUM_THREADS": "1"}


@nox.session
def lint(session):
    """Style, spelling and the layers."""
    session.install("-e", ".[test]")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("codespell")
    session.run("lint-imports", "--no-logo")


@nox.session
@nox.parametrize("sklearn", ["~=1.6.0", ">=1.9"])
def tests(session, sklearn):
    """Tests, docstrings and user guide; the oldest and the newest scikit-learn."""
    # scikit-learn 1.6 passes options to an optimiser that scipy 1.18 drops.
    scipy = "scipy<1.18" if sklearn.startswith("~") else "scipy"
    session.install("-e", ".[test]", f"scikit-learn{sklearn}", scipy)
    session.run("pytest", "-n", "2", "--cov", *session.posargs, env=ONE_THREAD)


@nox.session
def deep(session):
    """The tests of networks; a build of torch for the CPU will do."""
    session.install("-e", ".[test,deep]")
    pages = ["adversarial", "deep"]
    guide = [f"doc/user_guide/{page}.rst" for page in pages]
    paths = ["tests/deep", "skactive/deep", *guide]
    session.run("pytest", "-n", "2", *paths, env=ONE_THREAD)


@nox.session
def doc(session):
    """The pages, with every example run; a warning is an error."""
    session.install("-e", ".[doc]")
    target = "doc/_build/html"
    session.run("sphinx-build", "-W", "--keep-going", "doc", target, env=ONE_THREAD)


@nox.session
def build(session):
    """The wheel, installed and used from outside the repository."""
    smoke_test = Path(".ci/smoke.py").resolve()
    with tempfile.TemporaryDirectory() as folder:
        session.install("build")
        session.run("python", "-m", "build", "--outdir", folder)
        (wheel,) = Path(folder).glob("*.whl")
        session.install("--force-reinstall", str(wheel))
        session.chdir(folder)
        session.run("python", str(smoke_test))


@nox.session
def mutation(session):
    """The tests on mutants of the code: all modules of modules.toml, or some.

    It continues where the last run was stopped. The names are parts of paths,
    as in `nox -s mutation -- row_values`. --report shows the figures and runs nothing.
    """
    session.install("-e", ".[test]", "mutmut>=3.8,<4")
    session.run("python", "mutation/run.py", *session.posargs)


@nox.session
def peers(session):
    """The benchmarks beside other packages: all, or the scripts that are named.

    small-text and modAL are installed here only, never by the tests: they follow new
    releases of scikit-learn and NumPy late. What needs torch runs only if it is named.
    """
    session.install("-e", ".[bench]", "small-text", "modAL-python")
    beside_peers = ("loop", "committee", "acquisition")
    scripts = session.posargs or [
        f"benchmarks/bench_{name}.py" for name in beside_peers
    ]
    if any("deep" in script for script in scripts):
        session.install("-e", ".[deep]", "baal")
    for script in scripts:
        session.run("python", script, env=ONE_THREAD)
