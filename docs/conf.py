"""How Sphinx makes the site of the documentation: `make docs` writes it to docs/_build/html.

The first page, README.md, lists every page; its lists become the tables of contents, so that a page is entered once.
Nothing is fetched while the site is built.
"""

from __future__ import annotations

import re
from typing import Any

import skydex

project = "skydex"
author = "The skydex developers"
project_copyright = f"2026, {author}"
version = release = skydex.__version__

root_doc = "README"
extensions = ["myst_nb", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.viewcode", "sphinx_copybutton"]
exclude_patterns = ["_build", "adql.txt"]

html_theme = "furo"
html_title = "skydex"
html_static_path: list[str] = []
html_show_sourcelink = False

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "auto"
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_merge_streams = True

autodoc_typehints = "none"  # numpydoc's sections say it in words
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

_SHELF = re.compile(r"^\*\*(?P<name>\w[\w -]*)\*\*.*?$(?P<list>.*?)(?=^\*\*|\Z)", re.MULTILINE | re.DOTALL)
_PAGE = re.compile(r"\]\((?P<path>[\w/-]+)\.(?:md|ipynb|rst)\)")


def _with_contents(_: Any, name: str, source: list[str]) -> None:
    """Give the first page a hidden table of contents for each of its lists."""
    if name != root_doc:
        return
    for shelf in _SHELF.finditer(source[0]):
        pages = "\n".join(found["path"] for found in _PAGE.finditer(shelf["list"]))
        source[0] += f"\n\n```{{toctree}}\n:hidden:\n:caption: {shelf['name']}\n\n{pages}\n```\n"


def setup(app: Any) -> None:
    """Tell Sphinx."""
    app.connect("source-read", _with_contents)
