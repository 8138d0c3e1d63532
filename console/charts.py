"""Charts as SVG, drawn on the server: no script runs in the browser, and the same picture can go into a report.

Each chart has a title and a sentence for those who do not see it; the page shows its numbers as a table beside it. It is drawn
twice, for a screen and for a telephone, so that its letters keep their size; the style sheet shows one of the two.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import vl_convert
from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from console.tables import Row

COLORS = ("#005ea2", "#c28100", "#8d2f5b")
"""Blue, gold and plum: 3 to 1 against white, of different lightness, and told apart with any color vision."""
INK = "#1b1b1b"
GRID = "#dfe1e2"
FONT = "Source Sans Pro Web, Helvetica, Arial, sans-serif"
LOWEST_TOP = 4
"""The count axis goes at least this far, so that one edit does not look like a flood."""
KEPT = 256
"""Drawings kept in memory, about 20 kB each."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a chart is drawn, in pixels, and on every how many weeks it writes a date."""

    name: str
    width: int
    height: int
    dated: int


SHAPES = (Shape("wide", 560, 240, 4), Shape("narrow", 288, 220, 8))


def bars_by_week(
    rows: Sequence[Row], *, name: str, title: str, sentence: str, series: Sequence[tuple[str, str]]
) -> Markup:
    """Stacked bars by week, in every shape.

    ``rows`` have ``week`` (a Monday) and a count per series; ``series`` are at most three pairs of column and label. Color is never
    the only sign: the order of the stack is that of the legend, and the table beside the chart says the same. ``name`` is
    unique on the page.
    """
    drawn = [
        _framed(_svg(_specification(rows, shape, series)), f"{name}-{shape.name}", shape, title, sentence)
        for shape in SHAPES
    ]
    return Markup("\n").join(drawn)


def warm_up() -> None:
    """Load the drawing engine: the first chart would wait for it a second or two."""
    _svg(json.dumps({"$schema": _SCHEMA, "data": {"values": []}, "mark": "bar"}))


_SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
"""Names the language; nothing is fetched."""


def _specification(rows: Sequence[Row], shape: Shape, series: Sequence[tuple[str, str]]) -> str:
    labels = [label for _, label in series]
    values = [
        {"week": f"{row['week']:%Y-%m-%d}", "what": label, "order": order, "count": row[column]}
        for row in rows
        for order, (column, label) in enumerate(series)
    ]
    most = max((sum(row[column] for column, _ in series) for row in rows), default=0)
    chart = {
        "$schema": _SCHEMA,
        "width": shape.width,
        "height": shape.height,
        "autosize": {"type": "fit", "contains": "padding"},
        "padding": {"left": 0, "right": 4, "top": 0, "bottom": 0},
        "background": None,
        "data": {"values": values},
        "mark": {"type": "bar", "width": {"band": 0.75}},
        "encoding": {
            "x": {"field": "week", "type": "ordinal", "title": None, "axis": _weeks(rows, shape)},
            "y": {
                "field": "count",
                "type": "quantitative",
                "title": None,
                "scale": {"domain": [0, max(most, LOWEST_TOP)], "nice": 4},
                "axis": {"tickMinStep": 1, "tickCount": 4, "format": ",d", "domain": False, "ticks": False},
            },
            "color": {
                "field": "what",
                "title": None,
                "scale": {"domain": labels, "range": list(COLORS[: len(labels)])},
                "legend": {"orient": "top", "symbolType": "square", "padding": 0, "offset": 12},
            },
            "order": {"field": "order"},
        },
        "config": {
            "font": FONT,
            "axis": {"labelFontSize": 13, "labelColor": INK, "gridColor": GRID, "domainColor": INK, "tickColor": INK},
            "legend": {"labelFontSize": 14, "labelColor": INK, "columnPadding": 16},
            "view": {"stroke": None},
        },
    }
    return json.dumps(chart)


def _weeks(rows: Sequence[Row], shape: Shape) -> dict[str, Any]:
    """The axis of weeks: "Jun 1" under every so many, with the year where it is another."""
    texts: dict[str, list[str]] = {}
    year = None
    for row in rows[:: shape.dated]:
        week = row["week"]
        texts[f"{week:%Y-%m-%d}"] = [f"{week:%b} {week.day}", *([str(week.year)] if week.year != year else [])]
        year = week.year
    return {"values": list(texts), "labelAngle": 0, "labelExpr": f"({json.dumps(texts)})[datum.value]"}


@lru_cache(maxsize=KEPT)
def _svg(specification: str) -> str:
    drawn: str = vl_convert.vegalite_to_svg(specification)
    return drawn


def _framed(svg: str, name: str, shape: Shape, title: str, sentence: str) -> Markup:
    """The drawing with a name and a description, scaling with the page, without styles and roles of its own."""
    box = re.search(r'viewBox="([^"]+)"', svg)
    body = re.sub(r"^<svg[^>]*>", "", svg, count=1)
    body = re.sub(r' (?:style|role|aria-[a-z]+)="[^"]*"', "", body)
    start = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" class="chart chart--{shape}" viewBox="{box}" role="img" '
        'aria-labelledby="{name}-title" aria-describedby="{name}-text">'
        '<title id="{name}-title">{title}</title><desc id="{name}-text">{sentence}</desc>'
    ).format(
        shape=shape.name,
        box=box[1] if box else f"0 0 {shape.width} {shape.height}",
        name=name,
        title=title,
        sentence=sentence,
    )
    return start + Markup(body)  # noqa: S704 - drawn from numbers, dates and our own labels
