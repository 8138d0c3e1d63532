"""Charts as SVG, drawn on the server: no script runs in the browser, and the same picture can go into a report.

Each chart has a title and a sentence for those who do not see it; the page shows its numbers as a table beside it.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Sequence
from typing import Any

import vl_convert

BLUE = "#005ea2"
ORANGE = "#c05600"
GREY = "#565c65"
WIDTH = 640
HEIGHT = 200
_COUNTER = iter(range(10**9))

Row = dict[str, Any]


def bars_by_week(rows: Sequence[Row], *, title: str, sentence: str, series: Sequence[tuple[str, str]]) -> str:
    """Stacked bars by week.

    ``rows`` have ``week`` (a date) and a count per series; ``series`` are at most two (column, label) pairs: color is never
    the only sign, for the order of the stack and the table beside it say the same.
    """
    values = [
        {"week": f"{row['week']:%Y-%m-%d}", "what": label, "order": order, "count": row[column]}
        for row in rows
        for order, (column, label) in enumerate(series)
    ]
    labels = [label for _, label in series]
    spec = {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": WIDTH,
        "height": HEIGHT,
        "background": None,
        "data": {"values": values},
        "mark": {"type": "bar", "width": {"band": 0.8}},
        "encoding": {
            "x": {"field": "week", "type": "ordinal", "title": None, "axis": _weeks(rows)},
            "y": {"field": "count", "type": "quantitative", "title": None, "axis": {"tickMinStep": 1, "format": ",d"}},
            "color": {
                "field": "what",
                "title": None,
                "sort": labels,
                "scale": {"domain": labels, "range": [BLUE, ORANGE][: len(labels)]},
                "legend": {"orient": "top"} if len(labels) > 1 else None,
            },
            "order": {"field": "order"},
        },
        "config": {
            "font": "Source Sans Pro Web, Helvetica, Arial, sans-serif",
            "axis": {"labelFontSize": 13, "gridColor": "#dfe1e2", "domainColor": GREY, "labelColor": "#1b1b1b"},
            "legend": {"labelFontSize": 14},
            "view": {"stroke": None},
        },
    }
    return _described(vl_convert.vegalite_to_svg(json.dumps(spec)), title, sentence)


def _weeks(rows: Sequence[Row]) -> dict[str, Any]:
    every = max(1, len(rows) // 8)
    shown = [f"{row['week']:%Y-%m-%d}" for row in rows[::every]]
    return {"values": shown, "labelAngle": 0, "labelExpr": "timeFormat(toDate(datum.value + 'T00:00'), '%b %-d')"}


def _described(svg: str, title: str, sentence: str) -> str:
    """The SVG with a name and a description, scaling with the page and free of inline styles."""
    number = next(_COUNTER)
    size = re.search(r'viewBox="([^"]+)"', svg)
    box = size[1] if size else f"0 0 {WIDTH} {HEIGHT}"
    body = re.sub(r"^<svg[^>]*>", "", svg, count=1)
    body = re.sub(r' (?:role|aria-[a-z]+)="[^"]*"', "", body)
    body = re.sub(r' style="[^"]*"', "", body)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="{box}" role="img" '
        f'aria-labelledby="chart-{number}-title chart-{number}-desc">'
        f'<title id="chart-{number}-title">{html.escape(title)}</title>'
        f'<desc id="chart-{number}-desc">{html.escape(sentence)}</desc>{body}'
    )
