"""A capture or a build that is killed at any moment loses nothing, and the next run completes it."""

from __future__ import annotations

import hashlib
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
from warehouse import inventory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from samplecity.server import City
    from warehouse.endpoint import Endpoint

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


@dataclass(frozen=True)
class Installation:
    """Settings of an installation, and the same for a process of its own."""

    settings: dict[str, str]
    city: City

    @property
    def environment(self) -> dict[str, str]:
        outside = {name: value for name, value in os.environ.items() if not name.startswith("ONRECORD_")}
        return {**outside, **self.settings, **self.city.environment()}

    @property
    def spool(self) -> Path:
        return Path(self.settings["ONRECORD_HOME"]) / "spool"

    def open(self, monkeypatch: pytest.MonkeyPatch) -> Workspace:
        for name, value in {**self.settings, **self.city.environment()}.items():
            monkeypatch.setenv(name, value)
        return Workspace()

    def undisturbed(self, names: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> None:
        workspace = self.open(monkeypatch)
        with workspace.storage() as storage:
            for account in to_capture(workspace, names):
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


@pytest.fixture
def installations(
    s3_endpoint: Endpoint, sample_city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Installation, Installation]:
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
    return made[0], made[1]


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


def capture_under_fire(
    one: Installation, names: Sequence[str], part_bytes: int, dice: random.Random, most: int
) -> set[bytes]:
    """Capture, killed after so many answers of the city again and again, then in peace. Returns what dead processes left."""
    left: set[bytes] = set()
    for _ in range(most):
        goal = len(one.city.requests) + dice.choice((1, 5, 15, 30, 60))
        process = subprocess.Popen(
            [sys.executable, str(IN_SMALL_PARTS), str(part_bytes), "capture", *names],
            cwd=commands.ROOT,
            env={**one.environment, "PYTHONPATH": str(commands.ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        killed = kill_when(process, lambda goal=goal: len(one.city.requests) >= goal, dice.random() * 0.05)
        left |= spooled(one.spool)
        if not killed:
            assert process.returncode == 0
            return left
    commands.ok(one.environment, "capture", *names)
    return left


def check_evidence(one: Installation, left: set[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """The spool is empty; each object is noted once, whole, and they hold all that dead processes left."""
    assert [path.name for path in one.spool.iterdir() if not path.name.endswith(".subjects")] == []
    workspace = one.open(monkeypatch)
    found: set[bytes] = set()
    with workspace.storage() as storage:
        noted = list(inventory.objects(workspace.engine))
        assert {each.key for each in noted} == {item.key for item in storage.evidence.list("evidence/")}
        for each in noted:
            data = storage.evidence.get(each.key)
            assert hashlib.sha256(data).hexdigest() == each.sha256
            records = records_in(data)
            assert len(records) == each.exchanges
            found |= records
    assert left
    assert left <= found


@pytest.mark.parametrize(
    ("names", "part_bytes", "kills"),
    [(("city-hall", "public-works", "news"), 20_000, (6, 3)), (("public-works",), 8 * 1024 * 1024, (3,))],
    ids=["many parts", "one part"],
)
def test_a_capture_killed_again_and_again_gives_the_tables_of_an_undisturbed_one(
    installations: tuple[Installation, Installation],
    names: tuple[str, ...],
    part_bytes: int,
    kills: tuple[int, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    peace, war = installations
    dice = random.Random(part_bytes)  # noqa: S311 - moments, not secrets
    left: set[bytes] = set()
    for most in kills:
        peace.undisturbed(names, monkeypatch)
        left |= capture_under_fire(war, names, part_bytes, dice, most)
        expected, found = peace.tables(monkeypatch), war.tables(monkeypatch)
        for name in COLUMNS:
            assert found[name] == expected[name], name
        peace.city.advance()
    check_evidence(war, left, monkeypatch)


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
    for wait in (0.0, 0.03, 0.08, 0.15, 0.25):
        process = commands.begin(onrecord_environment, "mart", "build")
        killed += kill_when(process, fresh.exists, wait)
        if workspace.settings.mart.read_bytes() == old:
            with duckdb.connect(str(workspace.settings.mart), read_only=True) as mart:
                assert mart.execute("SELECT count(*) > 0 FROM records").fetchall() == [(True,)]
    assert killed >= 2
    commands.ok(onrecord_environment, "mart", "build")
    assert workspace.settings.mart.read_bytes() != old
    with duckdb.connect(str(workspace.settings.mart), read_only=True) as mart:
        assert mart.execute("SELECT count(*) > 0 FROM edits").fetchall() == [(True,)]
    assert [path.name for path in home.glob("mart.duckdb.building*")] == []
