"""What came of a comparison: a table in the terminal, and the last result in a page of the documentation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from completeness.compare import Result, Score
from completeness.life import Beyond
from rich.console import Console
from rich.table import Table

BEGIN, END = "<!-- last result: begin -->", "<!-- last result: end -->"
NAMED = 20
"""Items of one kind that the terminal lists."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One platform, compared."""

    platform: str
    result: Result
    beyond: list[Beyond]
    quarantined: list[str]
    looks: int
    seconds: int

    @property
    def is_whole(self) -> bool:
        """Whether all that could be found was found, and nothing else."""
        return self.result.is_whole and not self.quarantined

    @property
    def scores(self) -> list[tuple[str, Score]]:
        """Kinds of change in a steady order: content, moderation, causes, gaps."""
        return sorted(self.result.scores.items(), key=lambda one: (_place(one[0]), one[0]))


def show(console: Console, outcome: Outcome) -> None:
    """Print the table, then what is missing, false, and not counted."""
    table = Table(title=f"{outcome.platform}: {outcome.looks} looks in {outcome.seconds} s", title_justify="left")
    table.add_column("kind of change", no_wrap=True)
    for heading in ("happened", "recall", "archived", "precision"):
        table.add_column(heading, justify="right")
    for kind, score in outcome.scores:
        style = "" if score.is_whole else "bold red"
        table.add_row(kind, *_cells(score), style=style)
    console.print(table)
    for kind, score in outcome.scores:
        _list(console, f"missing: {kind}", score.missing)
        _list(console, f"false: {kind}", score.false)
    _list(console, "quarantined", outcome.quarantined)
    for kind, records in sorted(outcome.result.unseen.items()):
        _list(console, f"over before a look could see it: {kind}", records)
    _list(console, "not counted", [f"{one.what}: {one.why}" for one in outcome.beyond])


def write(page: Path, outcomes: list[Outcome], made: str) -> None:
    """Put the last result between the marks of the page."""
    text = page.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n{made}\n\n{_markdown(outcomes)}{END}{after}")


def _markdown(outcomes: list[Outcome]) -> str:
    lines: list[str] = []
    for outcome in outcomes:
        lines += [f"### {outcome.platform}", "", f"{outcome.looks} complete looks.", ""]
        lines += ["| kind of change | happened | recall | archived | precision |", "|---|---:|---:|---:|---:|"]
        lines += [f"| {kind} | {' | '.join(_cells(score))} |" for kind, score in outcome.scores]
        unseen = [f"| {kind} | {len(records)} |" for kind, records in sorted(outcome.result.unseen.items())]
        if unseen:
            lines += ["", "Over before a look could see it:", "", "| kind of change | times |", "|---|---:|", *unseen]
        lines += ["", "Not counted, and why:", "", *(f"- {one.what}: {one.why}" for one in outcome.beyond), ""]
    return "\n".join(lines)


def _cells(score: Score) -> tuple[str, str, str, str]:
    return f"{score.expected:,}", _percent(score.recall), f"{score.rows:,}", _percent(score.precision)


def _percent(share: float) -> str:
    """Never rounded up to a whole."""
    return "100 %" if share == 1 else f"{int(share * 1000) / 10:g} %"


def _list(console: Console, heading: str, items: list[str]) -> None:
    if items:
        console.print(f"[bold]{heading}[/bold] ({len(items)})")
        for item in items[:NAMED]:
            console.print(f"  {item}", markup=False)
        if len(items) > NAMED:
            console.print(f"  and {len(items) - NAMED} more")


def _place(kind: str) -> int:
    if kind.startswith(("post", "comment")) and kind.split(maxsplit=1)[0] in ("post", "comment"):
        return 0
    if kind.startswith("cause"):
        return 2
    return 3 if kind == "gap" else 1
