"""Coverage, gaps and counts of what really was captured: a gap that opens, closes and is recovered; every item accounted for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from compliance import accounts, loss
from pipeline.capture import CaptureFailed
from pipeline.recount import recount
from pipeline.steps import look_at, mart_from, normalize_all, to_capture
from transforms.records import POSTS
from warehouse import ledger
from warehouse.replacement import replace

if TYPE_CHECKING:
    from pipeline.workspace import Storage, Workspace
    from samplecity.server import City


def asked(workspace: Workspace, sql: str) -> list[Any]:
    with duckdb.connect(str(workspace.settings.mart), read_only=True) as mart:
        return mart.execute(sql).fetchall()


def into_the_mart(workspace: Workspace, storage: Storage) -> None:
    normalize_all(workspace, storage)
    mart_from(workspace, storage)


def test_a_gap_that_opens_and_closes_is_recovered_and_says_what_was_in_it(
    workspace: Workspace, sample_city: City
) -> None:
    account = accounts.get(workspace.engine, "transit")
    with workspace.storage() as storage:
        look_at(workspace, storage, account)
        sample_city.faults({"fault": "dead_credential", "path": "/statuses", "times": 0})
        inside = sample_city.act("post", account="transit", text="Line 4 is delayed")["record_id"]
        with pytest.raises(CaptureFailed):
            look_at(workspace, storage, account)
        into_the_mart(workspace, storage)
        [(word, lacking)] = asked(workspace, "SELECT coverage, lacking FROM coverage_by_day WHERE captures > 0")
        assert word == "partial"
        assert "posts: partial" in lacking
        assert asked(workspace, "SELECT DISTINCT closed_by, recovered_records FROM gap_recovery") == [(None, 0)]
        sample_city.faults()
        closing = {look.resource: look.capture_id for look in look_at(workspace, storage, account)}
        into_the_mart(workspace, storage)
    assert asked(workspace, "SELECT coverage FROM coverage_by_day WHERE captures > 0") == [("recovered",)]
    [(closed_by, recovered, never)] = asked(
        workspace, "SELECT closed_by, recovered_records, unrecoverable FROM gap_recovery WHERE resource = 'posts'"
    )
    assert (closed_by, recovered) == (closing["posts"], 1)
    assert never
    assert asked(workspace, f"SELECT count(*) FROM current_posts WHERE record_id = '{inside}'") == [(1,)]


def test_everything_two_looks_saw_is_accounted_for(workspace: Workspace, sample_city: City) -> None:
    with workspace.storage() as storage:
        for _ in range(2):
            for account in to_capture(workspace):
                if account.name != "library":
                    look_at(workspace, storage, account)
            normalize_all(workspace, storage)
            sample_city.advance()
        into_the_mart(workspace, storage)
        for one in ledger.captures(workspace.engine):
            found = recount(storage.archive, workspace.engine, storage.evidence, one.capture_id)
            assert found.reconciles, (one.resource, found)
    parts = "new + changed + unchanged + gone + absent + quarantined + skipped_items"
    assert asked(workspace, f"SELECT * FROM capture_ledger WHERE seen <> {parts} OR unaccounted <> 0") == []
    assert asked(workspace, "SELECT what, record_id, counted, held, reasons FROM unreconciled") == []
    counted = asked(workspace, "SELECT count(*), sum(new), sum(gone) FROM capture_ledger")
    held = asked(
        workspace,
        """
        WITH steps AS (
            SELECT version, state FROM versions
            UNION ALL SELECT version, state FROM moderation_actions
            UNION ALL SELECT version, state FROM profiles
        )
        SELECT
            count(*) FILTER (WHERE version = 1),
            count(*) FILTER (WHERE version > 1 AND state IN ('deleted', 'unavailable'))
        FROM steps
        """,
    )
    assert counted == [(len(list(ledger.captures(workspace.engine))), *held[0])]
    assert held[0][1] > 0
    estimated = loss.of_mart(workspace.settings.mart)
    assert estimated
    assert {one.basis for one in estimated} == {"none"}, "a few minutes of watching tell nothing of lifetimes"


def test_what_the_tables_lost_is_named_by_a_recount_and_by_the_mart(workspace: Workspace) -> None:
    account = accounts.get(workspace.engine, "public-works")
    with workspace.storage() as storage:
        looks = {look.resource: look.capture_id for look in look_at(workspace, storage, account)}
        before = recount(storage.archive, workspace.engine, storage.evidence, looks["posts"])
        assert len(before.lacking) == before.records > 0, "nothing is normalized yet"
        normalize_all(workspace, storage)
        [lost] = storage.archive.scan("posts", columns=["record_id"]).slice(0, 1)["record_id"].to_pylist()
        replace(storage.archive, "posts", {"record_id": [lost]}, POSTS.empty_table(), batch="lost")
        mart_from(workspace, storage)
    assert asked(workspace, f"SELECT DISTINCT what, reasons FROM unreconciled WHERE record_id = '{lost}'") == [
        ("look", [])
    ]
