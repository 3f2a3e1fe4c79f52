"""Run the tests on mutants of the code, module by module: ``nox -s mutation``.

mutmut changes one thing in one function at a time, such as ``<`` into ``<=``, and runs
the tests that call the function. A mutant that no test notices has survived. Results
are kept in ``.mutation/``: a run continues where the last one was stopped, and tries
the survivors again. ``modules.toml`` names the tests of each module, and
``survivors.md`` the survivors that are left, with reasons.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import libcst as cst

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
RESULTS = ROOT / ".mutation"
MODULES = tomllib.loads((HERE / "modules.toml").read_text())
# Exit codes of pytest, and two of mutmut. All others are kills, such as a timeout.
SURVIVED, NOT_RUN, NO_TESTS = 0, None, (5, 33)
# Plugins that a run of few tests does without; two of them collect garbage for long.
PLUGINS = ["cacheprovider", "xdist", "unraisableexception", "threadexception"]
# A mutant may take (seconds of its tests + constant) * multiplier. It is forked from a
# server that runs no tests: a fork of a process that has used joblib may hang.
SETTINGS = """
[tool.mutmut]
source_paths = ["skactive"]
only_mutate = ["{path}"]
also_copy = ["conftest.py"]
pytest_add_cli_args = {plugins}
pytest_add_cli_args_test_selection = {tests}
process_isolation = "forkserver"
timeout_constant = 3.0
timeout_multiplier = 6.0
use_git_change_detection = false
on_dependency_change = "ignore"
track_dependencies = false
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("part", nargs="*", help="part of a path; all modules if none")
    parser.add_argument("--report", action="store_true", help="run nothing")
    parser.add_argument("--show", action="store_true", help="show the survivors")
    options = parser.parse_args()
    parts = options.part or [""]
    chosen = [path for path in MODULES if any(part in path for part in parts)]
    if not options.report:
        for path in chosen:
            copy_repository(path)
            try_survivors_again(path)
            print(f"== {path}", flush=True)
            mutmut(path, "run", "--max-children", "1")
    print(f"{'module':45} mutants killed survived uncovered")
    for path in chosen:
        report(path, show=options.show)


def folder_of(path):
    return RESULTS / path.removesuffix(".py").replace("/", ".")


def mutmut(path, *options):
    folder = folder_of(path)
    # Processes that the tests start import the mutants, too.
    env = {"PYTHONPATH": str(folder / "mutants"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, HERE / "mutmut_here.py", *options]
    subprocess.run(command, cwd=folder, env=os.environ | env, check=True)


def copy_repository(path):
    """Copy the package and its tests; mutmut sees a change by the time of a file."""
    folder = folder_of(path)
    # Python never looks again into a folder that was missing when it started.
    (folder / "mutants").mkdir(parents=True, exist_ok=True)
    for name in ("skactive", "tests"):
        shutil.rmtree(folder / name, ignore_errors=True)
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy2(ROOT / "conftest.py", folder)
    settings = SETTINGS.format(
        path=path,
        tests=json.dumps(MODULES[path]),
        plugins=json.dumps([f"-pno:{name}" for name in PLUGINS]),
    )
    project = (ROOT / "pyproject.toml").read_text()
    (folder / "pyproject.toml").write_text(project + settings)
    source = cst.parse_module((ROOT / path).read_text())
    (folder / path).write_text(source.visit(PlainFunctions()).code)
    shutil.copystat(ROOT / path, folder / path)


class PlainFunctions(cst.CSTTransformer):
    """Write ``@decorator`` as ``f = decorator(f)``: mutmut skips what is decorated."""

    def leave_FunctionDef(self, original_node, updated_node):
        decorators = [item.decorator for item in updated_node.decorators]
        names = {getattr(item, "value", None) for item in decorators}
        if not decorators or names & {"staticmethod", "classmethod"}:
            return updated_node
        value = updated_node.name
        for decorator in reversed(decorators):
            value = cst.Call(decorator, [cst.Arg(value)])
        assign = cst.Assign([cst.AssignTarget(updated_node.name)], value)
        plain = updated_node.with_changes(decorators=[])
        return cst.FlattenSentinel([plain, cst.SimpleStatementLine([assign])])


def results_file(path):
    return folder_of(path) / "mutants" / f"{path}.meta"


def try_survivors_again(path):
    file = results_file(path)
    # Otherwise mutmut does not find out which tests call a new function.
    (folder_of(path) / "mutants" / "mutmut-stats.json").unlink(missing_ok=True)
    if file.exists():
        results = json.loads(file.read_text())
        codes = results["exit_code_by_key"]
        again = [name for name, code in codes.items() if code in (SURVIVED, *NO_TESTS)]
        codes.update(dict.fromkeys(again, NOT_RUN))
        file.write_text(json.dumps(results))


def report(path, *, show):
    file = results_file(path)
    if not file.exists():
        print(f"{path:45} not run")
        return
    codes = json.loads(file.read_text())["exit_code_by_key"]
    survived = [name for name, code in codes.items() if code == SURVIVED]
    uncovered = [name for name, code in codes.items() if code in NO_TESTS]
    n_not_run = sum(code is NOT_RUN for code in codes.values())
    n_killed = len(codes) - len(survived) - len(uncovered) - n_not_run
    print(
        f"{path:45} {len(codes):7} {n_killed:6} {len(survived):8} {len(uncovered):9}",
        f"({n_not_run} not run yet)" if n_not_run else "",
        flush=True,
    )
    if show:
        for name in survived + uncovered:
            mutmut(path, "show", name)


if __name__ == "__main__":
    main()
