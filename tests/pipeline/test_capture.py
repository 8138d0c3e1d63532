"""A capture sees what the platforms show, keeps it before anything reads it, and says what it missed."""

from __future__ import annotations

import gzip
from datetime import timedelta
from typing import TYPE_CHECKING

import duckdb
import pytest

from compliance import accounts
from compliance.faults import NotApproved
from pipeline.capture import CaptureFailed
from pipeline.steps import look_at, mart_from, normalize_all, to_capture
from warehouse import evidence, gaps, inventory, ledger

if TYPE_CHECKING:
    from pipeline.workspace import Storage, Workspace
    from samplecity.server import City

CHANGES = {
    "edited": "SELECT DISTINCT record_id FROM versions WHERE change = 'edited'",
    "deleted": "SELECT record_id FROM records WHERE state = 'deleted'",
    "unavailable": "SELECT record_id FROM records WHERE state = 'unavailable'",
    "hidden": "SELECT record_id FROM versions WHERE change = 'hidden' AND version > 1 AND seen_after > $since",
    "shown": "SELECT record_id FROM versions WHERE change = 'shown'",
    "new": "SELECT record_id FROM versions WHERE change = 'first_seen' AND seen_after > $since",
}


def capture_all(workspace: Workspace, storage: Storage) -> dict[str, CaptureFailed]:
    failed = {}
    for account in to_capture(workspace):
        try:
            look_at(workspace, storage, account)
        except CaptureFailed as problem:
            failed[account.name] = problem
    return failed


def test_two_looks_find_exactly_what_the_script_did(workspace: Workspace, sample_city: City) -> None:
    with workspace.storage() as storage:
        capture_all(workspace, storage)
        normalize_all(workspace, storage)
        since = workspace.clock()
        sample_city.advance()
        failed = capture_all(workspace, storage)
        normalize_all(workspace, storage)
        mart_from(workspace, storage)
    truth = sample_city.truth()["total"]
    with duckdb.connect(str(workspace.settings.mart), read_only=True) as mart:
        for kind in ("posts", "comments"):
            standing = f"SELECT count(*) FROM current_{kind} WHERE state IN ('present', 'hidden')"
            assert mart.execute(standing).fetchall() == [(truth[kind]["1"],)]
        for change, sql in CHANGES.items():
            found = mart.execute(sql, {"since": since} if "$since" in sql else None).fetchall()
            assert sorted(record for (record,) in found) == truth["changes"]["1"][change], change
        assert mart.execute("SELECT count(*) FROM quarantine").fetchall() == [(0,)]
        undeclared = """
            SELECT DISTINCT platform, action FROM moderation_actions AS done
            WHERE action NOT IN (SELECT unnest(reveals) FROM platform_resources AS told WHERE told.platform = done.platform)"""
        assert mart.execute(undeclared).fetchall() == [], "what a platform reveals stands in its connector"
        assert mart.execute("SELECT count(DISTINCT action) > 4 FROM moderation_actions").fetchall() == [(True,)]
        inside = "SELECT count(*) FROM versions WHERE version > 1 AND NOT seen_before < seen_after"
        assert mart.execute(inside).fetchall() == [(0,)]
    assert list(failed) == ["library"]


def test_an_account_that_is_not_approved_is_never_asked_for(workspace: Workspace, sample_city: City) -> None:
    with pytest.raises(NotApproved, match="brandt-personal"):
        to_capture(workspace, ["brandt-personal"])
    assert "brandt-personal" not in [account.name for account in to_capture(workspace)]
    assert sample_city.requests == []


def test_a_dead_token_is_loud_and_leaves_a_gap(workspace: Workspace) -> None:
    library = accounts.get(workspace.engine, "library")
    with workspace.storage() as storage, pytest.raises(CaptureFailed, match="401") as problem:
        look_at(workspace, storage, library)
    assert problem.value.code == "credential_rejected"
    opened = {gap.resource: gap.cause for gap in gaps.listing(workspace.engine, unclosed_only=True)}
    assert opened == dict.fromkeys(("profile", "posts", "comments", "moderation"), "credential_rejected")


def test_a_missing_credential_is_a_failed_look_of_every_resource(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ONRECORD_CREDENTIAL_TRANSIT_TOKEN")
    transit = accounts.get(workspace.engine, "transit")
    with (
        workspace.storage() as storage,
        pytest.raises(CaptureFailed, match="ONRECORD_CREDENTIAL_TRANSIT_TOKEN") as problem,
    ):
        look_at(workspace, storage, transit)
    assert {look.outcome for look in problem.value.captures} == {"credential_missing"}


def test_a_rate_limit_ends_the_look_at_the_time_the_platform_named(workspace: Workspace, sample_city: City) -> None:
    sample_city.faults({"fault": "rate_limited", "path": "/statuses", "retry_after": 900})
    works = accounts.get(workspace.engine, "public-works")
    begun = workspace.clock()
    with workspace.storage() as storage, pytest.raises(CaptureFailed) as problem:
        look_at(workspace, storage, works)
    assert problem.value.code == "rate_limited"
    assert problem.value.retry_at is not None
    assert timedelta(seconds=880) < problem.value.retry_at - begun < timedelta(seconds=920)
    sample_city.faults()
    with workspace.storage() as storage:
        looks = look_at(workspace, storage, works)
    assert {look.resource: look.outcome for look in looks} == {
        "profile": "complete",
        "posts": "complete",
        "comments": "complete",
        "moderation": "not_covered",
    }


def test_what_the_connection_does_not_show_is_a_gap_with_its_reason_and_no_failure(workspace: Workspace) -> None:
    works = accounts.get(workspace.engine, "public-works")
    with workspace.storage() as storage:
        looks = look_at(workspace, storage, works)
    [uncovered] = [look for look in looks if look.outcome != ledger.COMPLETE]
    assert (uncovered.resource, uncovered.outcome, uncovered.retry_at) == ("moderation", ledger.NOT_COVERED, None)
    assert uncovered.reason == "credential_needed"
    opened = {gap.resource: gap.cause for gap in gaps.listing(workspace.engine, unclosed_only=True)}
    assert opened == {"moderation": "not_covered"}


def test_a_platform_that_is_down_leaves_what_was_read_and_the_next_run_completes(
    workspace: Workspace, sample_city: City
) -> None:
    sample_city.faults({"fault": "server_error", "path": "listRecords.*cursor"})
    hall = accounts.get(workspace.engine, "city-hall")
    with workspace.storage() as storage:
        try:
            look_at(workspace, storage, hall)
        except CaptureFailed as problem:
            assert problem.code == "unreachable"  # noqa: PT017 - a city of one page has no cursor to fail on
        sample_city.faults()
        looks = look_at(workspace, storage, hall)
    assert {look.outcome for look in looks} == {"complete"}


def test_no_secret_reaches_evidence_database_or_tables(workspace: Workspace, sample_city: City) -> None:
    secrets = [
        value for fields in sample_city.credentials().values() for name, value in fields.items() if name != "username"
    ]
    with workspace.storage() as storage:
        capture_all(workspace, storage)
        normalize_all(workspace, storage)
        for one in inventory.objects(workspace.engine):
            (file,) = evidence.export(storage.evidence, [one.key], workspace.home / "out")
            content = gzip.decompress(file.read_bytes())
            for secret in secrets:
                assert secret.encode() not in content
    for place in workspace.home.rglob("*.db*"):
        data = place.read_bytes()
        for secret in secrets:
            assert secret.encode() not in data
