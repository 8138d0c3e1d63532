"""Charts: the bars are the numbers, and the picture carries its own words."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

from selectolax.lexbor import LexborHTMLParser

from console.charts import COLORS, SHAPES, bars_by_week

MONDAY = date(2026, 11, 30)
SERIES = [("edits", "Edits"), ("deletions", "Deletions"), ("hidden", "Hidden")]


def weeks(*counts: tuple[int, int, int]) -> list[dict[str, Any]]:
    return [
        {"week": MONDAY + timedelta(weeks=number), "edits": edits, "deletions": deletions, "hidden": hidden}
        for number, (edits, deletions, hidden) in enumerate(counts)
    ]


def drawn(rows: list[dict[str, Any]], *, title: str = "Changes", sentence: str = "They changed.") -> LexborHTMLParser:
    return LexborHTMLParser(str(bars_by_week(rows, name="changes", title=title, sentence=sentence, series=SERIES)))


def heights(found: LexborHTMLParser, shape: str, color: str) -> list[float]:
    """Heights of the bars of a color, from left to right. A bar is drawn as ``Mx,yhWvHh-WZ``."""
    bars = []
    for path in found.css(f".chart--{shape} .mark-rect path"):
        placed = re.fullmatch(r"M([\d.]+),[\d.]+h[\d.]+v([\d.]+)h-[\d.]+Z", str(path.attributes["d"]))
        if placed and path.attributes["fill"] == color:
            bars.append((float(placed[1]), float(placed[2])))
    return [height for _, height in sorted(bars)]


def test_bars_are_as_high_as_their_numbers() -> None:
    found = drawn(weeks((10, 5, 1), (20, 0, 4), (0, 10, 2)))
    for shape in SHAPES:
        edits, deletions, hidden = (heights(found, shape.name, color) for color in COLORS)
        unit = edits[0] / 10
        assert [round(height / unit, 6) for height in edits] == [10, 20, 0]
        assert [round(height / unit, 6) for height in deletions] == [5, 0, 10]
        assert [round(height / unit, 6) for height in hidden] == [1, 4, 2]


def test_each_picture_has_a_name_and_a_description_of_its_own() -> None:
    found = drawn(weeks((1, 1, 1)), title="A < B", sentence='"Five" & six')
    pictures = found.css("svg")
    assert [picture.attributes["role"] for picture in pictures] == ["img", "img"]
    ids = [node.attributes["id"] for node in found.css("[id]")]
    assert len(ids) == len(set(ids)) == 4
    for picture in pictures:
        assert found.css_first(f"#{picture.attributes['aria-labelledby']}").text() == "A < B"
        assert found.css_first(f"#{picture.attributes['aria-describedby']}").text() == '"Five" & six'


def test_nothing_in_a_picture_needs_a_style_a_script_or_another_file() -> None:
    text = str(bars_by_week(weeks((1, 1, 1)), name="x", title="x", sentence="x", series=SERIES))
    assert not re.search(r"style=|<style|<script|href=|url\(|\son[a-z]+=", text)


def test_the_axis_names_weeks_and_the_year_where_it_begins_or_changes() -> None:
    found = drawn(weeks(*[(1, 0, 0)] * 26))
    texts = [node.text() for node in found.css(".chart--wide .role-axis-label text")]
    assert texts[:3] == ["Nov 302026", "Dec 28", "Jan 252027"]
    assert len([text for text in texts if text[:3].isalpha()]) == 7


def test_weeks_without_anything_are_drawn_as_an_empty_chart() -> None:
    found = drawn(weeks(*[(0, 0, 0)] * 26))
    assert not any(heights(found, "wide", color)[0] for color in COLORS)
    assert "4" in [node.text() for node in found.css(".chart--wide .role-axis-label text")]
