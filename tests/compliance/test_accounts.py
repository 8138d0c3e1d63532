from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import msgspec
import pytest
from conftest import ROOT

from compliance import accounts
from compliance.accounts import Assignment, Decision
from compliance.faults import AccountExists, NotApproved, UnknownAccount
from compliance.policy import Accounts, PolicyAccount, load_accounts

if TYPE_CHECKING:
    from sqlalchemy import Engine

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FILE = load_accounts(ROOT / "policy" / "accounts.yaml")


def with_account(file: Accounts, name: str, /, **changes: object) -> Accounts:
    """The file with one account changed."""
    changed = (msgspec.structs.replace(one, **changes) if one.name == name else one for one in file.accounts)
    return msgspec.structs.replace(file, accounts=tuple(changed))


def stated(name: str) -> PolicyAccount:
    return next(one for one in FILE.accounts if one.name == name)


def test_loading_registers_every_account_with_its_decision_and_holders(engine: Engine) -> None:
    loaded = accounts.load(engine, FILE, now=NOW)
    assert loaded.added == tuple(one.name for one in FILE.accounts)
    ward = accounts.details(engine, "ward-3")
    assert (ward.account.account_id, ward.account.office, ward.account.status) == (
        "bluesky:did:plc:gejifi2x6yoribemce7tmihz",
        "Ward 3",
        "approved",
    )
    reason = "Office account; belongs to Ward 3 and passes to each successor"
    assert ward.decisions == (Decision("approved", "Dana Whitcomb", datetime(2020, 1, 15, tzinfo=UTC), reason),)
    assert ward.assignments == (
        Assignment("Walter Osei", "Council member", date(2018, 1, 2), date(2022, 1, 2)),
        Assignment("Imani Brandt", "Council member", date(2022, 1, 3), None),
    )
    assert ward.account.registered_at == NOW


def test_loading_again_changes_nothing(engine: Engine) -> None:
    accounts.load(engine, FILE, now=NOW)
    before = [accounts.details(engine, one.name) for one in accounts.listing(engine)]
    again = accounts.load(engine, FILE, now=datetime(2027, 1, 1, tzinfo=UTC))
    assert (again.added, again.changed, len(again.unchanged)) == ((), (), len(FILE.accounts))
    assert [accounts.details(engine, one.name) for one in accounts.listing(engine)] == before


def test_a_changed_account_is_reported_and_a_missing_one_stays(engine: Engine) -> None:
    accounts.load(engine, FILE, now=NOW)
    renamed = with_account(FILE, "parks", handle="parks.example")
    fewer = msgspec.structs.replace(renamed, accounts=renamed.accounts[:-1])
    loaded = accounts.load(engine, fewer, now=NOW)
    assert (loaded.changed, loaded.absent) == (("parks",), ("brandt-personal",))
    assert accounts.get(engine, "parks").handle == "parks.example"
    assert accounts.get(engine, "brandt-personal").status == "proposed"


def test_the_last_day_of_a_credential_is_noted_and_renewed_with_the_file(engine: Engine) -> None:
    for last in (date(2026, 12, 31), date(2027, 12, 31), None):
        accounts.load(engine, with_account(FILE, "transit", credential_expires=last), now=NOW)
        assert accounts.get(engine, "transit").credential_expires == last


def test_an_assignment_that_ends_is_changed_not_doubled(engine: Engine) -> None:
    accounts.load(engine, FILE, now=NOW)
    left = msgspec.structs.replace(stated("parks").holders[0], until=date(2026, 2, 28))
    loaded = accounts.load(engine, with_account(FILE, "parks", holders=(left,)), now=NOW)
    assert loaded.changed == ("parks",)
    assert [one.assigned_until for one in accounts.details(engine, "parks").assignments] == [date(2026, 2, 28)]


def test_a_file_never_overrules_a_later_decision(engine: Engine) -> None:
    accounts.load(engine, FILE, now=NOW)
    accounts.deactivate(engine, "parks", by="os:clerk", at=NOW, reason="closed")
    again = accounts.load(engine, FILE, now=NOW)
    assert accounts.get(engine, "parks").status == "deactivated"
    assert "parks" in again.unchanged


def test_a_later_decision_in_the_file_counts(engine: Engine) -> None:
    accounts.load(engine, FILE, now=NOW)
    decision = msgspec.structs.replace(stated("parks").decision, date=date(2026, 4, 1), reason="merged")
    closed = with_account(FILE, "parks", status="deactivated", decision=decision)
    assert accounts.load(engine, closed, now=NOW).changed == ("parks",)
    assert accounts.get(engine, "parks").status == "deactivated"
    assert [one.status for one in accounts.details(engine, "parks").decisions] == ["approved", "deactivated"]


def test_an_id_never_changes_hands_and_nothing_of_such_a_file_is_loaded(engine: Engine) -> None:
    accounts.load(engine, FILE, now=NOW)
    for name, changes in (("parks", {"id": "did:plc:other"}), ("news", {"name": "gazette"})):
        with pytest.raises(AccountExists):
            accounts.load(engine, with_account(with_account(FILE, "transit", handle="moved"), name, **changes), now=NOW)
    assert accounts.get(engine, "transit").handle == stated("transit").handle


def test_nothing_is_captured_before_it_is_approved(engine: Engine) -> None:
    add(engine)
    with pytest.raises(NotApproved, match=r"account clerk is proposed, not approved.*onrecord accounts approve clerk"):
        accounts.require_approved(engine, "clerk")
    accounts.approve(engine, "clerk", by="os:dana", at=NOW, reason="official")
    assert accounts.require_approved(engine, "clerk").account_id == "mastodon:social.example/1"


def test_a_deactivated_account_is_no_longer_captured(engine: Engine) -> None:
    add(engine)
    accounts.approve(engine, "clerk", by="os:dana", at=NOW, reason="official")
    accounts.deactivate(engine, "clerk", by="os:dana", at=NOW, reason="merged")
    with pytest.raises(NotApproved, match="deactivated"):
        accounts.require_approved(engine, "clerk")
    assert list(accounts.listing(engine, capturable_only=True)) == []


def test_deciding_the_same_again_changes_nothing(engine: Engine) -> None:
    add(engine)
    for reason in ("official", "again"):
        accounts.approve(engine, "clerk", by="os:dana", at=NOW, reason=reason)
    assert [one.reason for one in accounts.details(engine, "clerk").decisions] == ["added by hand", "official"]


def test_a_captured_account_becomes_active_once(engine: Engine) -> None:
    add(engine)
    with pytest.raises(NotApproved):
        accounts.activate(engine, "clerk", at=NOW)
    accounts.approve(engine, "clerk", by="os:dana", at=NOW, reason="official")
    assert {accounts.activate(engine, "clerk", at=NOW).status for _ in range(2)} == {"active"}
    assert accounts.require_approved(engine, "clerk").status == "active"
    assert len(accounts.details(engine, "clerk").decisions) == 3


def test_an_unknown_account_is_answered_with_the_closest_names(engine: Engine) -> None:
    accounts.load(engine, FILE, now=NOW)
    with pytest.raises(UnknownAccount, match=r"no account is registered as city-hal\. Did you mean city-hall\?"):
        accounts.get(engine, "city-hal")
    with pytest.raises(UnknownAccount, match="onrecord accounts list"):
        accounts.approve(engine, "zzz", by="os:dana", at=NOW, reason="official")


@pytest.mark.parametrize(("name", "native_id"), [("clerk", "social.example/2"), ("clerk-2", "social.example/1")])
def test_a_name_or_id_that_is_taken_is_refused(engine: Engine, name: str, native_id: str) -> None:
    add(engine)
    with pytest.raises(AccountExists, match=r"is taken by the registered account clerk \(proposed\)"):
        add(engine, name, native_id)
    assert len(list(accounts.listing(engine))) == 1


def add(engine: Engine, name: str = "clerk", native_id: str = "social.example/1") -> None:
    accounts.add_proposed(
        engine,
        name=name,
        platform="mastodon",
        native_id=native_id,
        handle="clerk@social.example",
        service="social.example",
        by="os:dana",
        at=NOW,
    )
