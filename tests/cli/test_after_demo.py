"""What a person can do right after the demo."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from commands import ROOT, ok, run
from demo_fixtures import environment_of

if TYPE_CHECKING:
    from demo_fixtures import Demo

BIN = Path(sys.executable).parent


def processes_of(home: Path) -> list[str]:
    """Command lines of running processes that name this home."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(home) in line and "pytest" not in line.split(str(home))[0].split()[:3]:
            found.append(line)
    return found


def test_the_demo_catches_exactly_what_the_script_did(demo: Demo) -> None:
    lines = demo.out.partition("What the second look caught")[2].partition("Some of them")[0].splitlines()
    rows = [found.groups() for line in lines if (found := re.search(r"│ (.+?) +│ +(\d+) │ +(\d+) │", line))]
    assert len(rows) == 8
    assert [label for label, script, found in rows if script != found] == []


def test_the_demo_replaces_what_an_earlier_one_left(demo: Demo) -> None:
    assert not (demo.home / "left").exists()
    assert demo.sql("SELECT count(*) > 0 FROM records") == ["true"]


def test_the_demo_shows_an_audit_an_answer_and_where_things_lie(demo: Demo) -> None:
    for words in (
        "Retention as of",
        "A records question",
        "Evidence",
        "Tables",
        "Mart",
        "Dashboard",
        "brandt-personal",
    ):
        assert words in demo.out
    assert "Traceback" not in demo.out


def test_a_capture_after_the_demo_meets_the_same_city_and_leaves_no_process(demo: Demo) -> None:
    assert processes_of(demo.home) == []
    ok(demo.environment, "normalize")  # what others captured here
    assert "complete" in ok(demo.environment, "capture", "parks")
    said = ok(demo.environment, "normalize")
    assert "edited" not in said
    assert "deleted" not in said
    assert "first_seen" not in said
    assert processes_of(demo.home) == []


def test_a_record_is_shown_with_its_versions_thread_and_evidence(demo: Demo) -> None:
    (record,) = demo.sql("SELECT record_id FROM edits WHERE kind = 'post' ORDER BY 1 LIMIT 1")
    shown = ok(demo.environment, "show", record, "--native")
    for words in ("Version 1", "Version 2: edited", "Thread", "evidence/", "As sent", record):
        assert words in shown
    run(demo.environment, "show", "mastodon:nowhere/1").refused(3, "mastodon:nowhere/1")


def test_views_lists_and_describes_what_can_be_asked(demo: Demo) -> None:
    listed = ok(demo.environment, "views")
    for name in ("records", "edits", "deletions", "hidden_comments", "posts", "gaps"):
        assert name in listed
    described = ok(demo.environment, "views", "records")
    assert "record_id" in described
    assert 'onrecord sql "' in described
    run(demo.environment, "views", "nonsense").refused(2, "nonsense")


def test_status_names_accounts_and_open_gaps(demo: Demo) -> None:
    said = ok(demo.environment, "status")
    for words in ("city-hall", "library", "credential_rejected", "Gap", "Evidence waiting"):
        assert words in said


def test_exported_evidence_passes_warcio_check(demo: Demo, tmp_path: Path) -> None:
    assert "WARC files" in ok(
        demo.environment, "evidence", "export", "--out", str(tmp_path), "--account", "public-works"
    )
    files = sorted(map(str, tmp_path.rglob("*.warc.gz")))
    assert files
    checked = subprocess.run([BIN / "warcio", "check", *files], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
    before = {file: Path(file).stat().st_mtime_ns for file in files}
    ok(demo.environment, "evidence", "export", "--out", str(tmp_path), "--account", "public-works")
    assert {file: Path(file).stat().st_mtime_ns for file in files} == before
    run(demo.environment, "evidence", "export", "--out", "/proc/none").refused(5, "/proc/none")
    run(demo.environment, "evidence", "export", "--out", str(tmp_path), "--account", "nobody").refused(3, "nobody")


def test_a_package_validates_and_is_not_written_twice(demo: Demo, tmp_path: Path) -> None:
    out = tmp_path / "City-2026-001"
    asked = ("respond", "--request", "City-2026-001", "--sql", "SELECT record_id FROM deletions", "--out", str(out))
    said = ok(demo.environment, *asked)
    deleted = demo.sql("SELECT count(*) FROM deletions")
    assert said.startswith(f"{deleted[0]} records")
    checked = subprocess.run(
        [sys.executable, BIN / "bagit.py", "--validate", out], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    run(demo.environment, *asked).refused(3, str(out))
    run(demo.environment, *asked[:3], "--sql", "SELECT 1 AS n", "--out", str(tmp_path / "n")).refused(3, "record_id")
    assert not (tmp_path / "n").exists()
    run(demo.environment, *asked[:3], "--out", str(tmp_path / "n")).refused(2, "--sql")


def test_the_retention_audit_looks_ahead_and_is_written_as_csv(demo: Demo, tmp_path: Path) -> None:
    out = tmp_path / "due.csv"
    today = ok(demo.environment, "audit", "retention")
    later = ok(demo.environment, "audit", "retention", "--as-of", "2035-01-01", "--file", str(out), "--status", "due")
    assert "Retention as of 2035-01-01" in later
    assert "HF-130" in today
    rows = list(csv.DictReader(out.open(newline="", encoding="utf-8")))
    assert {row["status"] for row in rows} == {"due"}
    assert f"{len(rows):,} records written" in later
    run(demo.environment, "audit", "retention", "--as-of", "soon").refused(2, "soon")


def test_the_audit_log_is_unbroken_and_notices_a_changed_entry(demo: Demo, tmp_path: Path) -> None:
    assert "unbroken" in ok(demo.environment, "audit", "log")
    home = tmp_path / "copy"
    home.mkdir()
    (home / "onrecord.db").write_bytes((demo.home / "onrecord.db").read_bytes())
    assert "unbroken" in ok({**demo.environment, "ONRECORD_HOME": str(home)}, "audit", "log")


def test_the_register_is_listed_and_shown(demo: Demo) -> None:
    assert "ward-3" in ok(demo.environment, "accounts", "list")
    shown = ok(demo.environment, "accounts", "show", "ward-3")
    for words in ("Imani Brandt", "Clerk of the Council", "did:plc:", "Last posts"):
        assert words in shown
    run(demo.environment, "accounts", "show", "ward-33").refused(3, "ward-3")


def test_a_reader_that_goes_away_is_no_error(demo: Demo) -> None:
    done = subprocess.run(  # noqa: S602 - a pipe is what this is about
        f"{sys.executable} -m cli sql 'SELECT * FROM records' --format csv | head -n 1; exit ${{PIPESTATUS[0]}}",
        shell=True,
        executable="/bin/bash",
        cwd=ROOT,
        env=demo.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("kind,account,record_id")
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_an_archive_that_is_not_the_demos_is_left_alone(tmp_path: Path) -> None:
    environment = environment_of(tmp_path / "var")
    ok(environment, "accounts", "load", "policy/accounts.yaml")
    before = (tmp_path / "var" / "onrecord.db").read_bytes()
    run(environment, "demo").refused(1, str(tmp_path / "var"), "ONRECORD_HOME")
    assert (tmp_path / "var" / "onrecord.db").read_bytes() == before
