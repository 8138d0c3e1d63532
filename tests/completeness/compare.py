"""The archive against the truth: what should be there and is not, what is there and should not be.

A phase of a record *must* be found when a complete look lies wholly within it. One that a look only touched *may* be found, one that no
look touched cannot be, and is listed as such. A row of the archive is true when, at the moment it was first seen, the record was as the row
says, and when the interval it states contains the moment of the change.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from completeness.life import GONE, Life, Look, Phase, Truth


@dataclass(frozen=True, slots=True)
class Row:
    """A version as the archive holds it."""

    record_id: str
    kind: str
    version: int
    change: str
    state: str
    content: str
    seen_before: datetime | None
    seen_after: datetime
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """A gap as the archive holds it."""

    account_id: str
    resource: str
    cause: str
    opened_at: datetime
    closed_at: datetime | None


@dataclass(slots=True)
class Score:
    """One kind of change, counted both ways. ``missing`` and ``false`` name records and say what is wrong."""

    expected: int = 0
    rows: int = 0
    missing: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)

    @property
    def recall(self) -> float:
        """Share of what should be there that is."""
        return 1 - len(self.missing) / self.expected if self.expected else 1.0

    @property
    def precision(self) -> float:
        """Share of what is there that is true."""
        return 1 - len(self.false) / self.rows if self.rows else 1.0

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing and nothing is false."""
        return not self.missing and not self.false


@dataclass(slots=True)
class Result:
    """Scores by kind of change, and what no look could show."""

    scores: dict[str, Score] = field(default_factory=lambda: defaultdict(Score))
    unseen: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Kind of change -> records."""

    @property
    def is_whole(self) -> bool:
        """Whether all scores are."""
        return all(score.is_whole for score in self.scores.values())


def compare(truth: Truth, rows: Iterable[Row], gaps: Sequence[Gap]) -> Result:
    """Score the archive."""
    result = Result()
    archived: Mapping[str, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda one: (one.record_id, one.version)):
        archived[row.record_id].append(row)
    looks: Mapping[str, list[Look]] = defaultdict(list)
    for look in truth.looks:
        looks[look.account_id].append(look)
    for life in truth.lives.values():
        _compare_life(result, life, archived.get(life.record_id, []), looks[life.account_id])
    for record_id in sorted(archived.keys() - truth.lives.keys()):
        for row in archived[record_id]:
            _count_row(result.scores[_name(row.kind, row.change)], row, "no such record ever was")
    _compare_gaps(result, truth, gaps)
    return result


# --- records --------------------------------------------------------------------------------------


def _compare_life(result: Result, life: Life, rows: list[Row], looks: list[Look]) -> None:
    surely = _surely_seen(life, looks)
    matched = _matched(result, life, rows)
    previous: Phase | None = None
    for number, phase in enumerate(life.phases):
        change = _change(previous, phase)
        if number not in surely:
            if number not in matched:
                result.unseen[_name(life.kind, _change(life.phases[number - 1] if number else None, phase))].append(
                    life.record_id
                )
            elif change:
                previous = phase
            continue
        if change is None:
            continue
        _count_expected(result.scores[_name(life.kind, change)], life, phase, found=number in matched)
        if phase.state in GONE and phase.cause:
            _count_cause(result, life, phase, matched.get(number))
        previous = phase


def _surely_seen(life: Life, looks: list[Look]) -> set[int]:
    """Phases that a look lies wholly within. What went before it was surely seen is not known to be gone."""
    surely: set[int] = set()
    for number, phase in enumerate(life.phases):
        end = life.ends(number)
        within = any(look.begin >= phase.began.end and (end is None or look.end <= end) for look in looks)
        if within and (phase.state not in GONE or surely):
            surely.add(number)
    return surely


def _matched(result: Result, life: Life, rows: list[Row]) -> dict[int, Row]:
    """Phase -> the row that shows it. Rows that show none are false."""
    matched: dict[int, Row] = {}
    for row in rows:
        number = _phase_at(life, row)
        wrong = "" if number is None else _wrong_interval(life, row, number)
        if number is None:
            wrong = f"it was not {row.state} with this content at {row.seen_after:%H:%M:%S.%f}"
        elif not wrong:
            matched.setdefault(number, row)
        _count_row(result.scores[_name(row.kind, row.change)], row, wrong)
    return _with_repeated(life, matched)


def _phase_at(life: Life, row: Row) -> int | None:
    """The phase the record was in when the row was first seen."""
    fits = [
        number
        for number, phase in enumerate(life.phases)
        if phase.looks_like(row.state, row.content) and _holds(life, number, row.seen_after)
    ]
    return fits[0] if fits else None


def _holds(life: Life, number: int, moment: datetime) -> bool:
    ended = life.ended(number)
    return life.phases[number].began.begin <= moment and (ended is None or moment <= ended)


def _with_repeated(life: Life, matched: dict[int, Row]) -> dict[int, Row]:
    """A phase that is as the archived one before it (what lay between was never seen) needs no row of its own."""
    shown: Row | None = None
    for number, phase in enumerate(life.phases):
        if number in matched:
            shown = matched[number]
        elif shown and phase.looks_like(shown.state, shown.content):
            matched[number] = shown
    return matched


def _wrong_interval(life: Life, row: Row, number: int) -> str:
    """Why the row's interval cannot hold the change; empty where it can. Without a lower bound it always can."""
    if row.version == 1 or row.seen_before is None:
        return ""
    if row.seen_before <= row.seen_after:
        for earlier in range(number):
            phase = life.phases[earlier]
            differs = phase.content != row.content if row.change == "edited" else phase.state != row.state
            if differs and _holds(life, earlier, row.seen_before):
                return ""
    return f"it was so already at {row.seen_before:%H:%M:%S.%f}, when the row says it was not yet"


def _count_row(score: Score, row: Row, wrong: str) -> None:
    score.rows += 1
    if wrong:
        score.false.append(f"{row.record_id} version {row.version}: {wrong}")


def _count_expected(score: Score, life: Life, phase: Phase, *, found: bool) -> None:
    score.expected += 1
    if not found:
        score.missing.append(f"{life.record_id}: {phase.state} from {phase.began.end:%H:%M:%S.%f} on")


def _count_cause(result: Result, life: Life, phase: Phase, row: Row | None) -> None:
    score = result.scores[f"cause: {phase.cause}"]
    score.expected += 1
    if row is None or row.cause != phase.cause:
        score.missing.append(f"{life.record_id}: the archive says {row.cause if row else 'nothing'}")
    if row and row.cause:
        told = result.scores[f"cause: {row.cause}"]
        told.rows += 1
        if row.cause != phase.cause:
            told.false.append(f"{life.record_id}: it was {phase.cause}")


def _change(before: Phase | None, after: Phase) -> str | None:
    """The archive's word for what led from one phase to the other; ``None`` where nothing did."""
    if before is None:
        return "first_seen"
    if before.state == after.state:
        return "edited" if before.content != after.content else None
    if before.state in GONE and after.state not in GONE:
        return "restored"
    return {"deleted": "deleted", "unavailable": "unavailable", "hidden": "hidden", "present": "shown"}[after.state]


def _name(kind: str, change: str) -> str:
    return kind if change == "first_seen" else f"{kind} {_WORDS.get((kind, change), change)}"


_WORDS = {("post", "shown"): "shown again", ("comment", "shown"): "shown again"}


# --- gaps -----------------------------------------------------------------------------------------


def _compare_gaps(result: Result, truth: Truth, gaps: Sequence[Gap]) -> None:
    """Every outage lies in a gap that was closed, and every gap holds an outage."""
    score = result.scores["gap"]
    for outage in truth.outages:
        for resource in sorted(outage.resources):
            score.expected += 1
            mine = [gap for gap in gaps if (gap.account_id, gap.resource) == (outage.account_id, resource)]
            if not any(
                gap.opened_at <= outage.span.begin and gap.closed_at and gap.closed_at >= outage.span.end
                for gap in mine
            ):
                score.missing.append(f"{outage.account_id} {resource}: {outage.code} at {outage.span.begin:%H:%M:%S}")
    for gap in gaps:
        score.rows += 1
        inside = [
            outage
            for outage in truth.outages
            if outage.account_id == gap.account_id
            and gap.resource in outage.resources
            and gap.opened_at <= outage.span.begin
            and (gap.closed_at is None or outage.span.end <= gap.closed_at)
        ]
        if not inside:
            score.false.append(f"{gap.account_id} {gap.resource}: nothing was out of reach ({gap.cause})")
        elif gap.cause not in {outage.code for outage in inside}:
            score.false.append(f"{gap.account_id} {gap.resource}: {gap.cause}, not {inside[0].code}")
