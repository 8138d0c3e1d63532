"""The vendored design system: what its style sheet names is there."""

from __future__ import annotations

import re
from pathlib import Path

import console

STATIC = Path(console.__file__).parent / "static"
UNUSED = {"../img/hero.jpg"}
"""The picture behind ``.usa-hero``, a component we do not use."""


def test_every_file_the_style_sheets_name_is_there() -> None:
    for sheet in (STATIC / "uswds" / "css" / "uswds.min.css", STATIC / "site.css"):
        named = {url.strip("\"'") for url in re.findall(r"url\(([^)]*)\)", sheet.read_text())}
        files = {url for url in named if url and not url.startswith("data:")}
        assert {url for url in files if not (sheet.parent / url).is_file()} <= UNUSED


def test_no_page_uses_the_component_whose_picture_is_left_out() -> None:
    templates = (STATIC.parent / "templates").glob("*.html")
    assert not [file.name for file in templates if "usa-hero" in file.read_text()]
