"""A package that answers a records request: the records for reading, for programs and as captured, with what proves them.

::

    DIR/                          a BagIt 1.0 bag
    ├── README.txt                a letter to the one who asked
    ├── bag-info.txt, bagit.txt, manifest-*.txt, tagmanifest-*.txt
    └── data/
        ├── records.xlsx, records.csv, data_dictionary.csv
        ├── native/               each record's own JSON, byte for byte, proven by the hash taken on arrival
        ├── threads/              the conversations around them
        ├── query.sql, snapshot.json
        └── manifest.csv          each file, its record, its evidence; and what is missing

It is built in a folder beside and renamed when it is whole and checked: DIR is never half a package.
"""

from __future__ import annotations

import contextlib
import csv
import functools
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from itertools import groupby
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from compliance import bag, native, production_notes, thread_text
from compliance.package_folder import beside
from compliance.production_notes import Facts
from compliance.selection import FILES, Piece, Selection, select
from compliance.spreadsheet import Spreadsheet
from warehouse import cells, evidence
from warehouse.faults import Damaged, NotThere

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from warehouse.bucket import Bucket
    from warehouse.query import Limits, Parameter

_NAME_DIGITS = 12
_LONGEST_REQUEST = 200
_now = functools.partial(datetime.now, UTC)


@dataclass(frozen=True, slots=True)
class Production:
    """A package that was written."""

    path: Path
    request: str
    records: int
    natives: int
    """Files with a platform's own data."""
    threads: int
    missing: int
    """Pieces of evidence that could not be had; the manifest says why."""
    unknown: int
    """Records the query named and the archive does not hold."""
    repeated: int
    """Rows of the answer that named a record again."""
    bytes: int
    as_of: datetime


def respond(
    mart: Path,
    bucket: Bucket,
    *,
    request: str,
    sql: str,
    out: Path,
    actor: str,
    params: Mapping[str, Parameter] | None = None,
    organization: str = "",
    software: str = "onrecord",
    zone: tzinfo = UTC,
    limits: Limits | None = None,
    clock: Callable[[], datetime] = _now,
    progress: Callable[[str, int, int], None] | None = None,
) -> Production:
    """Write the records that a query names as a package.

    Args:
        mart: the mart to ask.
        bucket: the evidence bucket.
        request: the City's number of the request.
        sql: one SELECT that gives ``record_id`` and, where not the latest is meant, ``version``.
        out: the folder to make; it must not exist, or be empty.
        actor: who prepares it.
        params: values for ``$name`` in the query.
        organization: who answers, in the letter and in ``bag-info.txt``.
        software: what prepares it.
        zone: time zone of the workbook and the conversations; the CSV is in UTC.
        limits: what the query may cost.
        clock: gives the moment of preparing.
        progress: told what is being done, how much is done and how much there is.

    Raises:
        ProductionError: the query does not name records, or the folder is taken.
        QueryError: the query is not answered.
        WarehouseError: evidence cannot be reached, or the disk is full. Nothing is left of the package then.
    """
    request = " ".join(request.split())[:_LONGEST_REQUEST]
    with beside(out) as (fresh, scratch):
        selection, counts = select(mart, sql, scratch, params=params, limits=limits)
        with selection:
            package = _Package(fresh, selection, scratch=scratch, zone=zone, progress=progress, total=counts.records)
            tables = selection.tables()
            as_of = max((table["built_at"] for table in tables), default=clock())
            natives, missing = package.write_natives(bucket)
            threads = package.write_threads(as_of)
            first, last = selection.span()
            facts = Facts(
                request=request,
                organization=organization,
                actor=actor,
                prepared_at=clock(),
                as_of=as_of,
                zone=zone,
                sql=sql,
                params=params or {},
                software=software,
                kinds=selection.kinds(),
                accounts=selection.accounts(),
                first=first,
                last=last,
                missing_natives=missing,
                unknown=counts.unknown,
                tables=tables,
            )
            package.write_records(facts)
            package.write_notes(facts)
        bag.seal(fresh, _bag_info(facts))
        size = sum(path.stat().st_size for path in fresh.rglob("*") if path.is_file())
    return Production(
        out, request, counts.records, natives, threads, missing, counts.unknown, counts.repeated, size, as_of
    )


class _Package:
    """The files of a package, as they are written."""

    def __init__(
        self,
        folder: Path,
        selection: Selection,
        *,
        scratch: Path,
        zone: tzinfo,
        progress: Callable[[str, int, int], None] | None,
        total: int,
    ) -> None:
        self._folder, self._data, self._selection, self._scratch = folder, folder / "data", selection, scratch
        self._zone, self._progress, self._total = zone, progress, total
        self._data.mkdir()

    def write_natives(self, bucket: Bucket) -> tuple[int, int]:
        """Cut each record's own data from evidence, one object at a time. Returns how many there are and how many are missing."""
        (self._data / "native").mkdir()
        written = missing = 0
        with self._listing("natives") as note:
            for _key, pieces in groupby(self._selection.pieces(), key=lambda piece: piece.evidence_key):
                for piece, content, why in _cut(bucket, list(pieces)):
                    note(self._native(piece, content, why))
                    written, missing = written + (content is not None), missing + (content is None)
                    self._tell("original data", min(written + missing, self._total))
        return written, missing

    def _native(self, piece: Piece, content: bytes | None, why: str) -> dict[str, Any]:
        """One native file and its line in the manifest."""
        line = {
            "number": piece.number,
            "record_id": piece.record_id,
            "version": piece.version,
            "role": piece.role,
            "payload_sha256": piece.payload_sha256,
            "evidence_key": piece.evidence_key,
            "evidence_offset": piece.evidence_offset,
        }
        if content is None:
            return {**line, "status": "missing", "note": why}
        name = f"{_file_name(piece.number, piece.record_id)}.v{piece.version}.{native.extension(content)}"
        path = self._data / "native" / name
        path.write_bytes(content)
        return {**line, **self._described(path)}

    def write_threads(self, as_of: datetime) -> int:
        """Write each conversation to a file; returns how many there are."""
        (self._data / "threads").mkdir()
        count = 0
        with self._listing("threads") as note:
            for root_id, conversation in groupby(self._selection.said(), key=lambda said: said.root_id):
                count += 1
                path = self._data / "threads" / f"{_file_name(count, root_id)}.txt"
                marked: list[tuple[int, str, int]] = []
                with path.open("w", encoding="utf-8", newline="\n") as file:
                    for place, said in enumerate(conversation):
                        if place == 0:
                            file.write(thread_text.heading(said, as_of=as_of, zone=self._zone))
                        file.write(thread_text.paragraph(said, self._zone))
                        marked += [(number, said.record_id, said.version) for number in said.numbers or ()]
                described = self._described(path)
                for number, record_id, version in marked:
                    note({"number": number, "record_id": record_id, "version": version, "role": "thread", **described})
        return count

    def write_records(self, facts: Facts) -> None:
        """Write the records as CSV and as a workbook."""
        columns = self._selection.columns
        sheet, book = self._data / "records.csv", self._data / "records.xlsx"
        with (
            sheet.open("w", encoding="utf-8", newline="") as file,
            Spreadsheet(
                book,
                columns,
                about=production_notes.about(facts),
                created=facts.prepared_at,
                zone=self._zone,
                scratch=self._scratch,
            ) as workbook,
        ):
            writer = csv.writer(file)
            writer.writerow([one.name for one in columns])
            for count, record in enumerate(self._selection.records(), 1):
                writer.writerow([_guarded(value) for value in record])
                workbook.add(record)
                self._tell("records", count)

    def write_notes(self, facts: Facts) -> None:
        """Write what the package says of itself; the manifest last."""
        (self._folder / "README.txt").write_text(production_notes.readme(facts), encoding="utf-8", newline="\n")
        (self._data / "query.sql").write_text(facts.sql.rstrip() + "\n", encoding="utf-8", newline="\n")
        (self._data / "snapshot.json").write_text(production_notes.snapshot(facts), encoding="utf-8", newline="\n")
        production_notes.write_dictionary(self._data / "data_dictionary.csv", self._selection.columns)
        with self._listing("package") as note:
            for path in sorted(path for path in self._data.iterdir() if path.is_file()):
                note({"role": "package", **self._described(path)})
        with (self._data / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(self._selection.manifest_columns())
            writer.writerows([_guarded(value) for value in line] for line in self._selection.listed())

    def _described(self, path: Path) -> dict[str, Any]:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        name = path.relative_to(self._data).as_posix()
        return {"path": name, "status": "included", "bytes": path.stat().st_size, "sha256": digest}

    @contextlib.contextmanager
    def _listing(self, name: str) -> Iterator[Callable[[dict[str, Any]], None]]:
        """Collect lines of the manifest on disk, and hand them to the selection at the end."""
        file = self._scratch / f"{name}.arrow"
        waiting: list[dict[str, Any]] = []
        with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_stream(sink, FILES) as stream:

            def note(line: dict[str, Any]) -> None:
                waiting.append(line)
                if len(waiting) == 1000:  # noqa: PLR2004  (a batch)
                    flush()

            def flush() -> None:
                stream.write_table(pa.Table.from_pylist(waiting, FILES))
                waiting.clear()

            yield note
            flush()
        with pa.OSFile(str(file), "rb") as source, pa.ipc.open_stream(source) as reader:
            self._selection.file(reader)
        file.unlink()

    def _tell(self, what: str, done: int) -> None:
        if self._progress is not None:
            self._progress(what, done, self._total)


def _cut(bucket: Bucket, pieces: list[Piece]) -> Iterator[tuple[Piece, bytes | None, str]]:
    """The pieces of one object with their bytes, or why they cannot be had."""
    first = pieces[0]
    left = {offset: list(group) for offset, group in groupby(pieces, key=lambda piece: piece.evidence_offset)}
    why = "the exchange is not in the evidence object"
    try:
        for page in evidence.read(bucket, first.evidence_key, first.evidence_sha256):
            wanted = left.pop(page.evidence_offset, None)
            if wanted:
                found = native.find(page.content, {piece.payload_sha256 for piece in wanted})
                for piece in wanted:
                    yield piece, found.get(piece.payload_sha256), "no item of the exchange has the hash of the record"
    except NotThere:
        why = "the evidence object is not in the bucket: destroyed by disposition, or lost"
    except Damaged as problem:
        why = f"the evidence object is damaged: {problem}"
    for piece in (piece for group in left.values() for piece in group):
        yield piece, None, why


def _file_name(number: int, record_id: str) -> str:
    """A name that is safe on every file system and still leads to the record."""
    return f"{number:06d}-{hashlib.sha256(record_id.encode()).hexdigest()[:_NAME_DIGITS]}"


def _guarded(value: object) -> str:
    """A value for a CSV that people open in a spreadsheet program; an empty list is nothing."""
    text = "" if value == [] else cells.text(value)
    return text if isinstance(value, (int, float)) else cells.guarded(text)


def _bag_info(facts: Facts) -> dict[str, str]:
    lines = {
        "Source-Organization": facts.organization,
        "Contact-Name": facts.actor,
        "External-Identifier": facts.request,
        "External-Description": f"Records that answer request {facts.request}; see README.txt",
        "Bagging-Date": f"{facts.prepared_at.astimezone(UTC):%Y-%m-%d}",
        "Bag-Software-Agent": facts.software,
        "Onrecord-Archive-As-Of": cells.text(facts.as_of),
        "Onrecord-Records": str(facts.records),
        "Onrecord-Missing": str(facts.missing_natives + facts.unknown),
    }
    return {name: text for name, text in lines.items() if text}
