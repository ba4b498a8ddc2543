"""How Sphinx builds the manual: ``sphinx-build -W -n src/docs target/docs``."""

project = "spark-qlora"
copyright = "the spark-qlora authors, Apache-2.0"
author = "the spark-qlora authors"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns: list[str] = []
myst_heading_anchors = 3
html_theme = "furo"
html_title = "spark-qlora"
suppress_warnings: list[str] = []
