"""The README does what it says."""

import re
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README.read_text(), re.M | re.S)


def test_the_first_example_runs_as_printed(capsys):
    (example,) = blocks("python")
    names = {}
    exec(compile(example, "README.md", "exec"), names)
    assert names["clf"].n_queries_ == 200
    assert names["clf"].score(names["X_test"], names["y_test"]) > 0.9
    assert capsys.readouterr().out.startswith("200 labels bought in 20 rounds\n")


def test_the_two_commands_are_the_first_two_shell_blocks():
    main_job, tests = blocks("shell")[:2]
    assert main_job.splitlines()[-1] == "python examples/quickstart.py"
    assert (README.parent / "examples" / "quickstart.py").exists()
    assert "pytest" in tests.splitlines()[-1]
    for commands in (main_job, tests):
        assert commands.startswith("python3 -m venv")
