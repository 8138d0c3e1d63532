"""A capture or a build that is killed at any moment loses nothing, and the next run completes it."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import commands
import duckdb
import pytest
from small_city import fresh_buckets

from compliance import accounts
from pipeline.steps import look_at, mart_from, normalize_all, to_capture
from pipeline.workspace import Workspace
from warehouse import evidence, ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from samplecity.server import City
    from warehouse.endpoint import Endpoint

NAMES = ("city-hall", "public-works", "news")
STORY = ("record_id", "version", "change", "state", "content_sha256")
CONTENT = (*STORY, "text", "title", "parent_id", "root_id", "author_id", "source_visibility")
COLUMNS = {
    "posts": CONTENT,
    "comments": CONTENT,
    "moderation_actions": (*STORY, "action", "subject_id", "reason"),
    "profiles": (*STORY, "handle", "name", "description"),
}
IN_SMALL_PARTS = Path(__file__).with_name("capture_in_small_parts.py")
RECORD = re.compile(rb"WARC/1\.1\r\nWARC-Type: response\r\n(?:[^\r\n]+\r\n)*?WARC-Record-ID: (<[^>]+>)")
MOST_KILLS = 40


@dataclass(frozen=True)
class Installation:
    """Settings of an installation, and the same for a process of its own."""

    settings: dict[str, str]
    city: City

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, **self.settings, **self.city.environment()}

    @property
    def spool(self) -> Path:
        return Path(self.settings["ONRECORD_HOME"]) / "spool"

    def open(self, monkeypatch: pytest.MonkeyPatch) -> Workspace:
        for name, value in {**self.settings, **self.city.environment()}.items():
            monkeypatch.setenv(name, value)
        return Workspace()

    def undisturbed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        workspace = self.open(monkeypatch)
        with workspace.storage() as storage:
            for account in to_capture(workspace, NAMES):
                look_at(workspace, storage, account)

    def tables(self, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[tuple[object, ...]]]:
        workspace = self.open(monkeypatch)
        with workspace.storage() as storage:
            normalize_all(workspace, storage)
            scanned = {name: storage.archive.scan(name, columns=list(columns)) for name, columns in COLUMNS.items()}
        return {
            name: sorted(zip(*(table[column].to_pylist() for column in COLUMNS[name]), strict=True), key=repr)
            for name, table in scanned.items()
        }

    def locked_records(self, monkeypatch: pytest.MonkeyPatch) -> set[bytes]:
        workspace = self.open(monkeypatch)
        with workspace.storage() as storage:
            return {
                record
                for one in ledger.evidence_objects(workspace.engine)
                for record in records_in(storage.evidence.get(one.key))
            }


@pytest.fixture
def installations(
    s3_endpoint: Endpoint, sample_city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Installation, Installation]]:
    """Two installations beside the same city: one for peace, one for war."""
    made = []
    for name in ("peace", "war"):
        buckets = fresh_buckets(s3_endpoint, name)
        settings = {
            "ONRECORD_HOME": str(tmp_path / name),
            "ONRECORD_S3_ENDPOINT": s3_endpoint.url,
            "ONRECORD_S3_ACCESS_KEY": s3_endpoint.access_key,
            "ONRECORD_S3_SECRET_KEY": s3_endpoint.secret_key,
            "ONRECORD_S3_EVIDENCE_BUCKET": buckets.evidence.name,
            "ONRECORD_S3_TABLES_BUCKET": buckets.tables.name,
            "ONRECORD_S3_LOCK_DAYS": "1",
        }
        made.append(Installation(settings, sample_city))
        workspace = made[-1].open(monkeypatch)
        accounts.load(workspace.engine, workspace.policy.accounts, now=workspace.clock())
    yield made[0], made[1]


def records_in(data: bytes) -> set[bytes]:
    """Ids of the responses in a WARC file, up to where it is torn."""
    content = b""
    while data:
        member = zlib.decompressobj(31)
        try:
            whole = member.decompress(data)
        except zlib.error:
            break
        if not member.eof:
            break
        content += whole
        data = member.unused_data
    return set(RECORD.findall(content))


def spooled(folder: Path) -> set[bytes]:
    """Ids of the responses a dead process left."""
    return {record for path in folder.glob("*.warc.gz") for record in records_in(path.read_bytes())}


def kill_when(process: subprocess.Popen[bytes], reached: Callable[[], bool], delay: float) -> bool:
    """Kill the process, that long after the moment came; whether it still lived."""
    while process.poll() is None and not reached():
        time.sleep(0.001)
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def capture_under_fire(one: Installation, part_bytes: int, dice: random.Random) -> tuple[int, set[bytes]]:
    """Capture, killed after so many answers of the city again and again until a run lives. Returns kills and what was spooled."""
    left: set[bytes] = set()
    for kills in range(MOST_KILLS):
        goal = len(one.city.requests) + dice.choice((1, 3, 8, 20, 40, 60))
        process = subprocess.Popen(
            [sys.executable, str(IN_SMALL_PARTS), str(part_bytes), "capture", *NAMES],
            cwd=commands.ROOT,
            env={**one.environment, "PYTHONPATH": str(commands.ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        lived = not kill_when(process, lambda goal=goal: len(one.city.requests) >= goal, dice.random() * 0.05)
        left |= spooled(one.spool)
        if lived:
            assert process.returncode == 0
            return kills, left
        if kills >= 9:
            commands.ok(one.environment, "capture", *NAMES)
            return kills + 1, left
    raise AssertionError


@pytest.mark.parametrize(("part_bytes", "seed"), [(20_000, 1), (8 * 1024 * 1024, 2)], ids=["many parts", "one part"])
def test_a_capture_killed_again_and_again_gives_the_tables_of_an_undisturbed_one(
    installations: tuple[Installation, Installation], part_bytes: int, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    peace, war = installations
    dice = random.Random(seed)
    kills = 0
    kept: set[bytes] = set()
    for moment in range(2):
        peace.undisturbed(monkeypatch)
        killed, left = capture_under_fire(war, part_bytes, dice)
        kills += killed
        kept |= left
        expected, found = peace.tables(monkeypatch), war.tables(monkeypatch)
        for name in COLUMNS:
            assert found[name] == expected[name], (name, moment)
        if moment == 0:
            peace.city.advance()
    assert kills >= 8
    assert kept
    assert kept <= war.locked_records(monkeypatch)
    assert sorted(path.name for path in war.spool.iterdir() if not path.name.endswith(".subjects")) == []


def test_evidence_of_a_killed_capture_is_whole_and_noted_once(
    installations: tuple[Installation, Installation], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, war = installations
    capture_under_fire(war, 20_000, random.Random(3))
    workspace = war.open(monkeypatch)
    with workspace.storage() as storage:
        noted = {one.key: one for one in ledger.evidence_objects(workspace.engine)}
        assert set(noted) == {item.key for item in storage.evidence.list("evidence/")}
        for one in noted.values():
            pages = list(evidence.read(storage.evidence, one.key, one.sha256))
            assert len(pages) == one.exchanges


def test_a_mart_build_killed_at_any_moment_leaves_the_old_mart_and_the_next_one_completes(
    workspace: Workspace, onrecord_environment: dict[str, str], sample_city: City
) -> None:
    home = workspace.home
    with workspace.storage() as storage:
        (works,) = to_capture(workspace, ["public-works"])
        look_at(workspace, storage, works)
        normalize_all(workspace, storage)
        mart_from(workspace, storage)
        old = workspace.settings.mart.read_bytes()
        sample_city.advance()
        look_at(workspace, storage, works)
        normalize_all(workspace, storage)
    fresh = home / "mart.duckdb.building"
    killed = 0
    for wait in (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4):
        process = commands.begin(onrecord_environment, "mart", "build")
        killed += kill_when(process, fresh.exists, wait)
        if workspace.settings.mart.read_bytes() == old:
            with duckdb.connect(str(workspace.settings.mart), read_only=True) as mart:
                assert mart.execute("SELECT count(*) > 0 FROM records").fetchall() == [(True,)]
    assert killed >= 3
    commands.ok(onrecord_environment, "mart", "build")
    assert workspace.settings.mart.read_bytes() != old
    with duckdb.connect(str(workspace.settings.mart), read_only=True) as mart:
        assert mart.execute("SELECT count(*) > 0 FROM edits").fetchall() == [(True,)]
    assert [path.name for path in home.glob("mart.duckdb.building*")] == []
