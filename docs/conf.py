"""The documentation site, for Sphinx: ``make docs``.

Its sources are the Markdown pages that a code host shows, where they are: this directory, and the few pages above it. The
source directory is therefore the project's, and toc.yml the only list of pages; a page that is missing there is a warning,
and warnings are errors. Notebooks are executed, references are made from the commands, the docstrings and the protocol.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(PROJECT / "docs" / "site"), str(PROJECT / "shared")]

_TABLE = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

project = _TABLE["name"]
version = release = _TABLE["version"]
author = "The mtjlearn maintainers"
project_copyright = author

extensions = [
  "myst_nb",
  "sphinx.ext.autodoc",
  "sphinx.ext.napoleon",
  "command_reference",
  "sphinx_copybutton",
  "sphinx_external_toc",
  "protocol_reference",
  "external_links",
]
external_toc_path = "docs/toc.yml"
include_patterns = [
  *("docs/**", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"),
  *("examples/README.md", "shared/numerics.md", "tests/README.md"),
]
exclude_patterns = ["**/.*", "**/__pycache__", "build", "dist", "runs", "firmware", "host", "tests/[!R]*"]
suppress_warnings = ["etoc.toctree"]

smartquotes_action = "D"
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_execution_timeout = 600
nb_merge_streams = True

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_mock_imports = ["torch"]
autodoc_default_options = {"members": True}
add_module_names = False
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100
napoleon_numpy_docstring = False

pygments_dark_style = "github-dark"
html_theme = "furo"
html_title = f"{project} {version}"
html_static_path = ["site/static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
copybutton_exclude = ".linenos, .gp, .go"
