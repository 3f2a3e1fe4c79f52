"""The distributions hold the package, and neither tests nor data sets."""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[1]
# Hidden folders hold environments, the others what earlier builds left behind.
NOT_COPIED = shutil.ignore_patterns(
    ".*", "venv", "_build", "build", "dist", "*.egg-info"
)


@pytest.fixture(scope="module")
def distributions(tmp_path_factory):
    # A copy: two builds in one folder would overwrite each other's files.
    folder, source = tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("source")
    shutil.copytree(REPOSITORY, source, ignore=NOT_COPIED, dirs_exist_ok=True)
    command = [sys.executable, "-m", "build", "--outdir", folder, source]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def wheel_files(distributions):
    (wheel,) = distributions.glob("*.whl")
    return zipfile.ZipFile(wheel).namelist()


@pytest.fixture(scope="module")
def sdist_files(distributions):
    (sdist,) = distributions.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        return [name.partition("/")[2] for name in archive.getnames()]


def test_wheel_holds_every_module_and_the_typing_marker(wheel_files):
    modules = (REPOSITORY / "skactive").rglob("*.py")
    expected = {str(path.relative_to(REPOSITORY)) for path in modules}
    assert expected | {"skactive/py.typed"} <= set(wheel_files)


def test_wheel_holds_nothing_beside_the_package(wheel_files):
    folders = {name.partition("/")[0] for name in wheel_files}
    assert {name for name in folders if not name.endswith(".dist-info")} == {"skactive"}


def test_sdist_holds_no_tests_and_no_data_sets(sdist_files):
    assert "pyproject.toml" in sdist_files
    assert not [name for name in sdist_files if name.startswith("tests")]
