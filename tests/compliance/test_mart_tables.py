from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from conftest import ROOT

from compliance import accounts, holds, mart_tables, retention_events
from compliance.holds import Scope
from compliance.policy import load_policy
from compliance.retention_events import RetentionEvent
from warehouse.dictionary import ACCOUNTS

if TYPE_CHECKING:
    from sqlalchemy import Engine

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
POLICY = load_policy(ROOT / "policy")


def test_registry_policy_and_holds_become_tables_with_every_column_described(engine: Engine) -> None:
    accounts.load(engine, POLICY.accounts, now=NOW)
    holds.place(engine, "H-1", reason="lawsuit", scope=Scope(kinds=("post",)), by="clerk", at=NOW)
    tables = mart_tables.mart_tables(engine, POLICY.retention)
    texts = mart_tables.descriptions()
    assert set(tables) == set(texts)
    for name, table in tables.items():
        assert set(texts[name]) == {"", *table.column_names}
        assert all(texts[name].values())
    sizes = {name: table.num_rows for name, table in tables.items()}
    assert sizes["accounts"] == len(POLICY.accounts.accounts)
    assert sizes["account_assignments"] == sum(len(one.holders) for one in POLICY.accounts.accounts)
    assert (sizes["retention_series"], sizes["retention_rules"]) == (
        len(POLICY.retention.series),
        len(POLICY.retention.rules),
    )
    assert sizes["holds"] == 1


def test_the_accounts_table_has_what_the_mart_needs_and_no_credential_names(engine: Engine) -> None:
    accounts.load(engine, POLICY.accounts, now=NOW)
    table = mart_tables.registry_tables(engine)["accounts"]
    assert set(ACCOUNTS.names) <= set(table.column_names)
    assert "credential" not in table.column_names
    assert {"account_id": "wordpress:news.harborfalls.example", "name": "news"} in table.select(
        ["account_id", "name"]
    ).to_pylist()


def test_a_permanent_series_has_no_period(engine: Engine) -> None:
    rows = mart_tables.retention_tables(engine, POLICY.retention)["retention_series"].to_pylist()
    periods = {row["series"]: (row["permanent"], row["years"], row["months"], row["days"]) for row in rows}
    assert (periods["HF-140"], periods["HF-100"]) == ((True, None, None, None), (False, 0, 0, 90))


def test_the_first_date_noted_for_a_record_stands(engine: Engine) -> None:
    first = RetentionEvent("r", "closed", date(2026, 2, 1), "clerk", NOW, "answered")
    assert retention_events.note(engine, first) == first
    again = RetentionEvent("r", "closed", date(2026, 3, 1), "clerk", NOW, "answered again")
    assert retention_events.note(engine, again) == first
    assert list(retention_events.listing(engine)) == [first]
