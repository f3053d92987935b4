"""How Sphinx builds the site: `make docs`."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
SOURCE = HERE.parent / "src" / "neostriatum"
sys.path[:0] = [str(HERE / "extensions"), str(SOURCE.parent)]
# Notebooks run in processes of their own, which must see the package of this checkout as well.
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(SOURCE.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
os.environ.setdefault("OMP_NUM_THREADS", "2")

import neostriatum  # noqa: E402


def package_hash() -> str:
    """Return a hash of the package, so that another version executes every page again."""
    digest = hashlib.sha256()
    for path in sorted(path for kind in ("*.py", "*.toml") for path in SOURCE.rglob(kind)):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


project = "neostriatum"
author = "The neostriatum developers"
project_copyright = author
version = release = neostriatum.__version__

extensions = [
    "myst_nb", "numpydoc", "sphinx.ext.autodoc", "sphinx_copybutton", "sphinx_design",
    "outside", "command_pages", "number_pages", "target_pages", "picture_pages", "schema_files",
    "python_lists",
]
exclude_patterns = ["_build", "extensions", "README.md", "reference/api/listed"]
nitpicky = True
suppress_warnings = ["mystnb.unknown_mime_type"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4

nb_execution_mode = "cache"
nb_execution_cache_path = str(HERE / "_build" / "executed" / package_hash())
nb_execution_in_temp = True
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_merge_streams = True
nb_ipywidgets_js = {}  # nothing is loaded from elsewhere

autodoc_typehints = "none"  # numpydoc's sections have the types
autodoc_member_order = "bysource"
numpydoc_show_class_members = False

html_theme = "pydata_sphinx_theme"
html_title = f"neostriatum {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_js_files = ["numbers.js"]
html_show_sourcelink = False
html_sidebars = {"index": []}
html_theme_options = {
    "header_links_before_dropdown": 5,
    "navbar_align": "left",
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": ["theme-version"],
    "logo": {"text": "neostriatum"},
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True
