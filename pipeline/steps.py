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


def look_at(workspace: Workspace, storage: Storage, account: Account, *, watch: Watch | None = None) -> list[Capture]:
    """Capture one account. Raises :class:`pipeline.capture.CaptureFailed`, :class:`warehouse.lease.AccountBusy`."""
    from compliance import accounts
    from compliance.faults import CredentialMissing
    from pipeline.capture import Places, capture, refuse

    chosen = workspace.settings
    places = Places(
        engine=workspace.engine,
        evidence=storage.evidence,
        archive=storage.archive,
        spool=workspace.spool,
        services=chosen.services,
        allow_private=chosen.allow_private,
        window=timedelta(days=workspace.policy.revisit.window_days),
        software=SOFTWARE,
        clock=workspace.clock,
    )
    try:
        credential = credential_of(account)
    except CredentialMissing as problem:
        raise refuse(places, account, code="credential_missing", message=str(problem)) from None
    looks = capture(places, account, credential, watch=watch)
    accounts.activate(workspace.engine, account.name, at=workspace.clock())
    return looks


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
    from warehouse import mart

    return mart.build(
        storage.archive,
        workspace.settings.mart,
        extra=mart_tables(workspace.engine, workspace.policy.retention),
        comments=descriptions(),
        software=SOFTWARE,
        progress=progress and (lambda _what, done, total: progress(done, total)),
        clock=workspace.clock,
    )


def due_accounts(lane: str) -> list[str]:
    """Names of the lane's approved accounts that are due to be captured."""
    from compliance import accounts
    from warehouse import ledger

    workspace = Workspace()
    mine = {
        account.account_id: account.name
        for account in accounts.listing(workspace.engine, capturable_only=True)
        if lane_name(account.platform, account.credential) == lane
    }
    every = timedelta(minutes=workspace.policy.revisit.capture_every_minutes)
    due = ledger.due(workspace.engine, mine, now=workspace.clock(), every_seconds=every.total_seconds())
    return [mine[account_id] for account_id in due]


def capture_account(name: str) -> dict[str, int]:
    """Capture one account by name. Returns items seen, by resource."""
    workspace = Workspace()
    (account,) = to_capture(workspace, [name])
    with workspace.storage() as storage:
        return {look.resource: look.items for look in look_at(workspace, storage, account)}


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
