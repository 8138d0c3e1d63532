"""The known shapes of platforms' answers, and what changed in them. Paths only, never content.

A field is judged by the pages that could have had it: those in which the object it belongs to is there. What is seen before that
object was on ``learn_pages`` pages is learned silently. After that a field never seen, a field that was always there and is
no more, or one of another type is a change, until ``settled_days`` have passed: then it is how the platform is.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, BigInteger, Engine, Text, bindparam, select, update
from sqlalchemy.orm import Mapped, mapped_column

from compliance.findings import Condition, condition, insert_unless_there
from transforms.shapes import MOST_PATHS, parent_of
from warehouse.database import Base, UtcDateTime, writing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy.engine import Connection

    from compliance.policy_findings import ShapeTerms
    from transforms.shapes import Shape

CODES = frozenset({"platform_changed"})
SHOWN = 8
"""Fields named in a message; the finding's detail has up to :data:`KEPT`."""
KEPT = 100
_ONE = "evidence"


class ShapePathRow(Base):
    """Table ``shape_paths``: one row per field of a call's answers."""

    __tablename__ = "shape_paths"
    platform: Mapped[str] = mapped_column(Text, primary_key=True)
    call: Mapped[str] = mapped_column(Text, primary_key=True)
    path: Mapped[str] = mapped_column(Text, primary_key=True)
    kinds: Mapped[dict[str, Any]] = mapped_column(JSON)
    seen_pages: Mapped[int] = mapped_column(BigInteger)
    missed_pages: Mapped[int] = mapped_column(BigInteger)
    object_pages: Mapped[int] = mapped_column(BigInteger)
    optional: Mapped[bool]
    is_new: Mapped[bool]
    parent_pages: Mapped[int] = mapped_column(BigInteger)
    first_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    missing_since: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ShapeSampleRow(Base):
    """Table ``shape_samples``: up to when evidence was sampled."""

    __tablename__ = "shape_samples"
    sample: Mapped[str] = mapped_column(Text, primary_key=True)
    sampled_until: Mapped[datetime] = mapped_column(UtcDateTime)


@dataclass(slots=True)
class Field:
    """What is known of one field."""

    path: str
    first_seen_at: datetime
    last_seen_at: datetime
    is_new: bool
    """Whether it was first seen when the object it belongs to was well known."""
    parent_pages: int
    """On how many pages that object had been by then."""
    optional: bool
    """Whether it was ever missing where it might have been, and came back."""
    kinds: dict[str, dict[str, Any]]
    """Kind -> pages, since when, and whether it is a change of type."""
    seen_pages: int = 0
    missed_pages: int = 0
    """Pages in a row that might have had it and had not."""
    object_pages: int = 0
    """Pages on which it was an object."""
    missing_since: datetime | None = None

    def see(self, found: dict[str, int], at: datetime, *, everywhere: bool, learn_pages: int) -> None:
        """Note a page that has it; ``everywhere``: in each object that might have it."""
        known = self.kinds.keys() - {"null"}
        for kind in found:
            changed = bool(known) and kind != "null" and kind not in known and self.seen_pages >= learn_pages
            entry = self.kinds.setdefault(kind, {"pages": 0, "since": at.isoformat(), "changed": changed})
            self.kinds[kind] = {**entry, "pages": entry["pages"] + 1}
        self.optional = self.optional or not everywhere or self.missed_pages > 0
        self.seen_pages += 1
        self.object_pages += "object" in found
        self.missed_pages, self.missing_since, self.last_seen_at = 0, None, at

    def miss(self, at: datetime) -> None:
        """Note a page that might have it and has not."""
        self.missed_pages += 1
        self.missing_since = self.missing_since or at


@dataclass(frozen=True, slots=True)
class Changed:
    """What changed in the answers of a call, as paths."""

    platform: str
    call: str
    new: tuple[str, ...]
    vanished: tuple[str, ...]
    retyped: tuple[str, ...]


def learn(
    engine: Engine, platform: str, call: str, shapes: Iterable[Shape], *, at: datetime, terms: ShapeTerms
) -> None:
    """Take in pages of a call, in the order in which they came."""
    with writing(engine) as connection:
        known = _known(connection, platform, call)
        before = set(known)
        for shape in shapes:
            _take_in(known, shape, at, terms.learn_pages)
        _save(connection, platform, call, before, known)


def changes(engine: Engine, terms: ShapeTerms, now: datetime) -> Iterator[Changed]:
    """Calls whose answers changed more than the policy allows, by platform and call."""
    with engine.connect() as connection:
        calls = connection.execute(
            select(ShapePathRow.platform, ShapePathRow.call).distinct().order_by("platform", "call")
        )
        for platform, call in calls.fetchall():
            found = _changed(platform, call, _known(connection, platform, call), terms, now)
            limits = (terms.new_fields, terms.vanished_fields, terms.retyped_fields)
            if any(
                len(paths) >= limit
                for paths, limit in zip((found.new, found.vanished, found.retyped), limits, strict=True)
            ):
                yield found


def conditions(changed: Iterable[Changed]) -> Iterator[Condition]:
    """One condition per call that changed."""
    for one in changed:
        parts = {"new": one.new, "no longer there": one.vanished, "of another type": one.retyped}
        said = "; ".join(f"{what}: {_some(paths)}" for what, paths in parts.items() if paths)
        yield condition(
            "platform_changed",
            f"Answers to {one.call} of {one.platform} changed. {said}",
            subject=f"{one.platform} {one.call}",
            severity=None if one.vanished or one.retyped else "warning",
            new=list(one.new[:KEPT]),
            vanished=list(one.vanished[:KEPT]),
            retyped=list(one.retyped[:KEPT]),
        )


def sampled_until(engine: Engine) -> datetime | None:
    """The moment of normalizing up to which evidence was sampled; ``None`` before the first time."""
    with engine.connect() as connection:
        return connection.execute(select(ShapeSampleRow.sampled_until)).scalar()


def note_sampled(engine: Engine, until: datetime) -> None:
    """Move that moment."""
    with writing(engine) as connection:
        if not insert_unless_there(connection, ShapeSampleRow, {"sample": _ONE, "sampled_until": until}):
            connection.execute(update(ShapeSampleRow).values(sampled_until=until))


def _take_in(known: dict[str, Field], shape: Shape, at: datetime, learn_pages: int) -> None:
    objects = {path: known[path].object_pages if path in known else 0 for path in shape}  # before this page
    for path, found in shape.items():
        parent = parent_of(path)
        grown = objects.get(parent, 0) if parent is not None else 0
        if path not in known:
            if len(known) >= MOST_PATHS:
                continue
            known[path] = Field(path, at, at, grown >= learn_pages, grown, grown > 0, {})
        might = shape[parent]["object"] if parent in shape else 0
        known[path].see(dict(found), at, everywhere=found.total() >= might, learn_pages=learn_pages)
    for path, field in known.items():
        parent = parent_of(path)
        if path not in shape and parent in shape and shape[parent]["object"]:
            field.miss(at)


def _changed(platform: str, call: str, known: dict[str, Field], terms: ShapeTerms, now: datetime) -> Changed:
    since = now - timedelta(days=terms.settled_days)
    new, vanished, retyped = [], [], []
    for path, field in sorted(known.items()):
        if field.is_new and field.first_seen_at > since and _is_common(field, known, terms):
            new.append(path)
        always = not field.optional and field.seen_pages >= terms.learn_pages
        if always and field.missed_pages >= terms.confirm_pages and field.missing_since and field.missing_since > since:
            vanished.append(path)
        for kind in field.kinds.values():
            lately = kind["changed"] and datetime.fromisoformat(kind["since"]) > since
            if lately and kind["pages"] >= terms.confirm_pages:
                retyped.append(path)
                break
    return Changed(platform, call, tuple(new), tuple(vanished), tuple(retyped))


def _is_common(field: Field, known: dict[str, Field], terms: ShapeTerms) -> bool:
    """Whether a new field is on enough of the pages that might have had it since."""
    parent = known.get(parent_of(field.path) or "")
    might = max(parent.object_pages - field.parent_pages, 1) if parent else 1
    return field.seen_pages >= terms.confirm_pages and field.seen_pages * 100 >= terms.share_percent * might


def _known(connection: Connection, platform: str, call: str) -> dict[str, Field]:
    table = ShapePathRow.__table__
    columns = [table.c[name] for name in Field.__dataclass_fields__]
    query = select(*columns).where(ShapePathRow.platform == platform, ShapePathRow.call == call)
    return {row.path: Field(**row._mapping) for row in connection.execute(query)}  # noqa: SLF001 - SQLAlchemy's documented name


def _save(connection: Connection, platform: str, call: str, before: set[str], known: dict[str, Field]) -> None:
    for path in known.keys() - before:
        insert_unless_there(connection, ShapePathRow, {"platform": platform, "call": call, **asdict(known[path])})
    kept = [{**asdict(field), "of_path": path} for path, field in known.items() if path in before]
    if kept:
        mine = (ShapePathRow.platform == platform) & (ShapePathRow.call == call)
        query = update(ShapePathRow.__table__).where(mine, ShapePathRow.path == bindparam("of_path"))  # type: ignore[arg-type]
        connection.execute(query, kept)


def _some(paths: tuple[str, ...]) -> str:
    more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
    return ", ".join(paths[:SHOWN]) + more
