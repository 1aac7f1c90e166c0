"""Settings of the documentation: `sphinx-build -W --keep-going -n docs build/docs`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import ehbilayer

project = "ehbilayer"
author = "the ehbilayer authors"
version = release = ehbilayer.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx-mathjax-offline",  # formulas need no network
    "api_pages",  # beside this file: one page per package, from docstrings
    "code_links",  # beside this file: names of modules and functions in the text become links to those pages
]
exclude_patterns: list[str] = []

# the pages are plain Markdown, which a forge shows as they are
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
highlight_language = "none"  # indented blocks are commands

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
python_maximum_signature_line_length = 110

html_theme = "furo"
html_title = f"ehbilayer {version}"
html_copy_source = False
html_static_path = ["_static"]
html_js_files = ["sortable.js"]  # tables sort by the head that is clicked
