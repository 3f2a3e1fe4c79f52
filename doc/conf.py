"""Settings of the documentation: ``sphinx-build -W doc doc/_build/html``."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from docutils import nodes

import skactive

os.environ.setdefault("OMP_NUM_THREADS", "1")

HERE = Path(__file__).parent
SCIKIT_LEARN = "https://scikit-learn.org/stable"
# Sections of its user guide that inherited docstrings refer to.
SCIKIT_LEARN_LABELS = {"metadata_routing"}

project = "skactive"
author = "The skactive developers"
project_copyright = f"2026, {author}"
version = release = skactive.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "_generated", "changes", "**/GALLERY_HEADER.rst"]

autosummary_generate = True
# The pages are built without the large packages that the deep part imports, too.
autodoc_mock_imports = [
    name for name in ("skorch", "torch") if importlib.util.find_spec(name) is None
]
autodoc_default_options = {"member-order": "bysource"}
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"plot_",
    "download_all_examples": False,
    "show_memory": False,
    "abort_on_example_error": True,
    "doc_module": "skactive",
    "reference_url": {"skactive": None},
}

html_theme = "pydata_sphinx_theme"
html_title = f"skactive {release}"
html_show_sourcelink = False
html_theme_options = {"show_prev_next": False, "secondary_sidebar_items": ["page-toc"]}


def write_unreleased_changes():
    """Collect the fragments of the change log for the page what's new."""
    command = [sys.executable, "-m", "towncrier", "build", "--draft"]
    command += ["--version", "in development", "--date", "not released"]
    done = subprocess.run(
        command, cwd=HERE.parent, check=True, capture_output=True, text=True
    )
    folder = HERE / "_generated"
    folder.mkdir(exist_ok=True)
    (folder / "unreleased.rst").write_text(done.stdout)


def link_to_scikit_learn(app, env, node, contnode):
    """Link names of scikit-learn without its inventory: the build needs no network."""
    target = node.get("reftarget", "")
    if target.startswith("sklearn."):
        address = f"{SCIKIT_LEARN}/modules/generated/{target}.html"
    elif target in SCIKIT_LEARN_LABELS:
        address = f"{SCIKIT_LEARN}/{target}.html"
    elif node.get("refdomain") == "std" and node.get("reftype") == "term":
        address = f"{SCIKIT_LEARN}/glossary.html#term-{target.replace(' ', '-')}"
    else:
        return None
    return nodes.reference("", "", contnode, internal=False, refuri=address)


def setup(app):
    app.connect("missing-reference", link_to_scikit_learn)


write_unreleased_changes()
