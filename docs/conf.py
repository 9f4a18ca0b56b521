"""Sphinx configuration: MyST pages, furo theme."""

project = "Lapwing"
author = "the Lapwing maintainers"
copyright = "2026, the Lapwing maintainers"
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "Lapwing"
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
