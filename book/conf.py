"""Sphinx's settings for the book; ``python -m gsnn_tutorial book`` builds it from a copy of the notebooks."""

project = "GSNN Tutorial"
author = "the authors of the GSNN Tutorial"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.viewcode", "sphinx-mathjax-offline"]
root_doc = "index"
html_theme = "sphinx_book_theme"
html_title = "GSNN Tutorial"
html_theme_options = {"show_toc_level": 2, "navigation_with_keys": True, "use_download_button": True}
html_static_path = ["_static"]
html_css_files = ["book.css"]
html_favicon = "_static/favicon.svg"
html_context = {"default_mode": "auto"}
html_show_sphinx = False

nb_execution_mode = "off"  # the notebooks are executed already
nb_merge_streams = True
nb_execution_raise_on_error = True
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence"]
myst_heading_anchors = 3
myst_dmath_allow_labels = False

autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_typehints = "signature"
default_role = "code"
suppress_warnings = ["mystnb.unknown_mime_type", "docutils", "ref.ref"]  # of docstrings that torch hands down
