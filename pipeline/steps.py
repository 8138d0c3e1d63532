"""The steps with plain arguments, for the command line and the DAGs alike. Each may be repeated at any time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from pipeline.lanes import lane_name
from pipeline.workspace import SOFTWARE, Storage, Workspace

if TYPE_CHECKING:
    from compliance.accounts import Account
    from compliance.retention import Audit
    from connectors.contract import AccountRef, Credential
    from pipeline.look import Watch
    from pipeline.normalize import NormalizeReport
    from pipeline.visit import Places
    from warehouse.backfills import Backfill
    from warehouse.ledger import Capture
    from warehouse.mart import MartInfo

Progress = Callable[[int, int], None]
"""Called with how much is done, and of how much."""


def to_capture(workspace: Workspace, names: Sequence[str] = ()) -> list[Account]:
    """The named accounts, or all approved ones. Raises :class:`compliance.faults.AccountFault` for one that may not be captured."""
    from compliance import accounts

    if names:
        return [accounts.require_approved(workspace.engine, name) for name in names]
    return list(accounts.listing(workspace.engine, capturable_only=True))


def look_at(
    workspace: Workspace, storage: Storage, account: Account, *, watch: Watch | None = None, due_only: bool = False
) -> list[Capture]:
    """Capture one account: all of the policy's window, or (``due_only``) what the plan says is due to be looked at again.

    Raises :class:`pipeline.capture.CaptureFailed`, :class:`warehouse.lease.AccountBusy`.
    """
    from compliance import accounts
    from pipeline.capture import capture

    places = places_of(workspace, storage)
    if due_only:
        places = _as_due(workspace, places, account)
    looks = capture(places, account, _credential(places, account), watch=watch)
    accounts.activate(workspace.engine, account.name, at=workspace.clock())
    return looks


def read_back(workspace: Workspace, storage: Storage, account: Account, *, watch: Watch | None = None) -> Backfill:
    """Read the next slice of the account's past. An account that was never captured is captured first.

    Raises what :func:`look_at` does, and ``LookupError`` where everything was read with the first look.
    """
    from pipeline.backfill import read_slice
    from warehouse import backfills, looked

    if looked.last_complete(workspace.engine, account.account_id, "posts") is None:
        look_at(workspace, storage, account, watch=watch, due_only=True)
        state = backfills.get(workspace.engine, account.account_id)
        if state is not None:
            return state
    places = places_of(workspace, storage)
    pages = workspace.policy.revisit.history.pages_per_slice
    return read_slice(places, account, _credential(places, account), pages=pages, watch=watch)


def written_by(workspace: Workspace, account: Account) -> int | None:
    """How much the account wrote, as the platform counted when its profile was last read; ``None`` where it does not tell."""
    from warehouse import looked

    last = looked.last_complete(workspace.engine, account.account_id, "profile")
    return last.platform_total if last else None


def places_of(workspace: Workspace, storage: Storage) -> Places:
    """Where captures go and what they know."""
    from pipeline.known import Known
    from pipeline.visit import Places

    chosen = workspace.settings
    return Places(
        engine=workspace.engine,
        evidence=storage.evidence,
        known=Known(storage.archive, workspace.engine, workspace.home),
        spool=workspace.spool,
        services=chosen.services,
        allow_private=chosen.allow_private,
        window=timedelta(days=workspace.policy.revisit.window_days),
        software=SOFTWARE,
        clock=workspace.clock,
    )


def _as_due(workspace: Workspace, places: Places, account: Account) -> Places:
    """Reach back as far as the plan says is due; leave what is older than a first slice to the backfill."""
    from dataclasses import replace

    from pipeline import planning
    from pipeline.plan import Hot

    hot = workspace.policy.revisit.hot_threads
    return replace(
        places,
        window=planning.reach_due(workspace, account),
        first_pages=workspace.policy.revisit.history.pages_per_slice,
        hot=Hot(hot.comments, timedelta(hours=hot.within_hours)),
    )


def _credential(places: Places, account: Account) -> Credential | None:
    from compliance.faults import CredentialMissing
    from pipeline.capture import refuse

    try:
        return credential_of(account)
    except CredentialMissing as problem:
        raise refuse(places, account, code="credential_missing", message=str(problem)) from None


def identify(workspace: Workspace, platform: str, handle: str) -> AccountRef:
    """Look an account up on its platform. Nothing of the answer is kept. Raises :class:`connectors.faults.ConnectorError`."""
    from time import sleep

    from connectors.contract import AccountRef, Connection
    from connectors.registry import PLATFORMS

    connection = Connection(
        account=AccountRef(platform, "", handle, ""),
        record=lambda exchange: None,  # noqa: ARG005 - a look-up is not a capture
        clock=workspace.clock,
        sleep=sleep,
        services=workspace.settings.services,
        allow_private=workspace.settings.allow_private,
    )
    return PLATFORMS[platform].identify(connection, handle)


def credential_of(account: Account) -> Credential | None:
    """The account's credential. Raises :class:`compliance.faults.CredentialMissing` where it is named but not set."""
    from compliance import credentials
    from connectors.contract import Credential
    from connectors.registry import PLATFORMS

    if account.credential is None:
        return None
    secret = credentials.find(account.credential, PLATFORMS[account.platform].credential_fields)
    return Credential(secret.name, secret.values) if secret else None


def normalize_all(workspace: Workspace, storage: Storage, *, progress: Progress | None = None) -> NormalizeReport:
    """Put pending evidence into the tables."""
    from pipeline.normalize import normalize

    return normalize(
        storage.archive,
        workspace.engine,
        storage.evidence,
        workspace.home,
        clock=workspace.clock,
        progress=progress,
    )


def mart_from(workspace: Workspace, storage: Storage, *, progress: Progress | None = None) -> MartInfo:
    """Build the mart from the tables, the registry and the retention rules."""
    from compliance.mart_tables import descriptions, mart_tables
    from pipeline.resource_table import platform_resources
    from warehouse import mart

    return mart.build(
        storage.archive,
        workspace.settings.mart,
        extra={
            **mart_tables(workspace.engine, workspace.policy.retention),
            "platform_resources": platform_resources(),
        },
        comments=descriptions(),
        software=SOFTWARE,
        progress=progress and (lambda _what, done, total: progress(done, total)),
        clock=workspace.clock,
    )


def due_accounts(lane: str) -> list[str]:
    """Names of the lane's approved accounts that are due to be captured."""
    from warehouse import looked

    workspace = Workspace()
    mine = _names(workspace, lane)
    every = timedelta(minutes=workspace.policy.revisit.capture_every_minutes)
    due = looked.due(workspace.engine, mine, now=workspace.clock(), every_seconds=every.total_seconds())
    return [mine[account_id] for account_id in due]


def capture_account(name: str) -> dict[str, int]:
    """Capture one account by name. Returns items seen, by resource."""
    workspace = Workspace()
    (account,) = to_capture(workspace, [name])
    with workspace.storage() as storage:
        return {look.resource: look.items for look in look_at(workspace, storage, account, due_only=True)}


def behind_accounts(lane: str) -> list[str]:
    """Names of the lane's approved accounts whose past is not read yet, the one that waited longest first."""
    from warehouse import backfills

    workspace = Workspace()
    mine = _names(workspace, lane)
    return [mine[one.account_id] for one in backfills.unfinished(workspace.engine) if one.account_id in mine]


def _names(workspace: Workspace, lane: str) -> dict[str, str]:
    """The lane's approved accounts: id -> name."""
    from compliance import accounts

    there = accounts.listing(workspace.engine, capturable_only=True)
    return {one.account_id: one.name for one in there if lane_name(one.platform, one.credential) == lane}


def backfill_account(name: str) -> dict[str, int | str | None]:
    """Read the next slice of an account's past."""
    workspace = Workspace()
    (account,) = to_capture(workspace, [name])
    with workspace.storage() as storage:
        state = read_back(workspace, storage, account)
    return {"items": state.items, "reached": state.reached_at.isoformat() if state.reached_at else None}


def normalize_pending() -> dict[str, int]:
    """Put pending evidence into the tables. Returns rows added, by table."""
    workspace = Workspace()
    with workspace.storage() as storage:
        return dict(normalize_all(workspace, storage).rows)


def build_mart() -> dict[str, int]:
    """Build the mart. Returns rows, by table."""
    workspace = Workspace()
    with workspace.storage() as storage:
        return {table.name: table.rows for table in mart_from(workspace, storage).tables}


def audited(workspace: Workspace, as_of: date | None = None) -> Audit:
    """The retention audit of the mart under today's registry, rules and holds. Close it, or use it as a context manager."""
    from compliance import retention
    from compliance.mart_tables import mart_tables

    tables = mart_tables(workspace.engine, workspace.policy.retention)
    return retention.audit(workspace.settings.mart, as_of or retention.today(workspace.clock()), tables=tables)


def audit_retention(as_of: date | None = None) -> dict[str, int]:
    """The retention audit as of a date (today by default). Returns records, by status."""
    with audited(Workspace(), as_of) as audit:
        statuses = ("keep", "due", "held", "permanent", "no_series")
        return {status: sum(getattr(one, status) for one in audit.summary) for status in statuses}
