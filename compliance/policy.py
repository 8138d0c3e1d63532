"""The City's rules as typed values, read from ``policy/*.yaml``.

Each file carries its version, the day from which it is in force, and whether it is only a sample. What one file says of
another (a rule's series, an account's platform) is checked too. Errors name file, line and field.
"""

from __future__ import annotations

from datetime import date  # noqa: TC003 - msgspec reads the types of fields
from typing import TYPE_CHECKING, Literal, TypeVar

import msgspec

from compliance.policy_checks import check_accounts, check_findings, check_notifications, check_retention, check_revisit
from compliance.policy_findings import FindingTerms, Notifications  # noqa: TC001 - msgspec reads the types of fields
from compliance.policy_revisit import Revisit  # noqa: TC001 - msgspec reads the types of fields
from compliance.policy_source import Problems, Source
from compliance.policy_values import PolicyFile
from compliance.policy_values import Value as _Value

if TYPE_CHECKING:
    from pathlib import Path


class Holder(_Value, frozen=True, rename={"start": "from"}, kw_only=True):
    """Who works with an account, from when until when (both days included)."""

    person: str
    role: str
    start: date
    until: date | None = None


class Decision(_Value, frozen=True, kw_only=True):
    """Who decided on an account's status, when and why."""

    by: str
    date: date
    reason: str


class PolicyAccount(_Value, frozen=True, kw_only=True):
    """A City-supported account. It belongs to a department or to an office, never to a person."""

    name: str
    title: str
    platform: str
    id: str
    """The platform's immutable id."""
    handle: str
    service: str
    """Host name of the server it lives on."""
    department: str | None = None
    office: str | None = None
    head: str
    """Who is accountable."""
    holders: tuple[Holder, ...] = ()
    status: Literal["proposed", "approved", "deactivated"]
    decision: Decision
    credential: str | None = None
    """Name of its secret, which lies in the environment or a secrets backend."""
    credential_expires: date | None = None
    """Last day on which it works, where that is known."""
    retention: str | None = None
    """Series of its records that no rule matches."""


class Accounts(PolicyFile, frozen=True, kw_only=True):
    """``accounts.yaml``."""

    accounts: tuple[PolicyAccount, ...]


class Period(_Value, frozen=True, kw_only=True):
    """How long at least; calendar units are added together."""

    years: int = 0
    months: int = 0
    days: int = 0


class Series(_Value, frozen=True, kw_only=True):
    """A retention series of the approved schedule."""

    code: str
    title: str
    period: Period | Literal["permanent"]
    trigger: Literal["published", "closed", "superseded"]
    authority: str


class When(_Value, frozen=True, kw_only=True):
    """Every field given must match; a list means any of its values."""

    account: tuple[str, ...] = ()
    department: tuple[str, ...] = ()
    office: tuple[str, ...] = ()
    platform: tuple[str, ...] = ()
    kind: tuple[Literal["post", "comment", "moderation_action", "profile"], ...] = ()
    author: Literal["account", "public"] | None = None
    text: str | None = None
    """RE2 pattern, matched anywhere in title or text, without case."""


class Rule(_Value, frozen=True, kw_only=True):
    """Which records belong to a series. Rules are read in order; the first that matches counts."""

    name: str
    series: str
    when: When


class Retention(PolicyFile, frozen=True, kw_only=True):
    """``retention.yaml``."""

    series: tuple[Series, ...]
    rules: tuple[Rule, ...]


class Agreed(_Value, frozen=True, kw_only=True):
    """Who agreed to a platform's terms, and when."""

    by: str
    date: date


class PlatformInUse(_Value, frozen=True, kw_only=True):
    """A platform the City agreed to use."""

    name: str
    title: str
    status: Literal["in use", "ended"]
    terms: str
    agreed: Agreed
    service: str | None = None
    purpose: str


class Platforms(PolicyFile, frozen=True, kw_only=True):
    """``platforms.yaml``."""

    platforms: tuple[PlatformInUse, ...]


class ContentRule(_Value, frozen=True, kw_only=True):
    """Content that may be acted on, and how."""

    code: str
    title: str
    text: str
    actions: tuple[Literal["hide", "remove", "block"], ...]
    examples: tuple[str, ...] = ()


class ContentRules(PolicyFile, frozen=True, kw_only=True):
    """``content_rules.yaml``."""

    rules: tuple[ContentRule, ...]
    principles: tuple[str, ...] = ()


class Notice(_Value, frozen=True, kw_only=True):
    """A text the City shows on its profiles or sends to a person."""

    code: str
    title: str
    shown: Literal["profile", "person"]
    text: str


class Notices(PolicyFile, frozen=True, kw_only=True):
    """``notices.yaml``."""

    notices: tuple[Notice, ...]


class AppealTerms(_Value, frozen=True, kw_only=True):
    """How a person appeals, and how long a block may last."""

    file_within_days: int
    answer_within_business_days: int
    decided_by: str
    written_answer: bool
    longest_block_days: int
    notify_on: tuple[Literal["hide", "remove", "block", "reinstate", "unblock"], ...]


class Appeals(PolicyFile, frozen=True, kw_only=True):
    """``appeals.yaml``."""

    appeals: AppealTerms


class Exemption(_Value, frozen=True, rename={"classification": "class"}, kw_only=True):
    """Data that may be withheld, with the statute to cite."""

    code: str
    title: str
    citation: str
    classification: Literal["private", "nonpublic", "confidential", "protected nonpublic"]
    applies: str


class Exemptions(PolicyFile, frozen=True, kw_only=True):
    """``exemptions.yaml``."""

    exemptions: tuple[Exemption, ...]


class Holiday(_Value, frozen=True, kw_only=True):
    """A day that is not a business day, besides Saturday and Sunday."""

    date: date
    name: str


class Holidays(PolicyFile, frozen=True, kw_only=True):
    """``holidays.yaml``."""

    holidays: tuple[Holiday, ...]


class Policy(_Value, frozen=True, kw_only=True):
    """All policy files of a folder."""

    accounts: Accounts
    retention: Retention
    platforms: Platforms
    content_rules: ContentRules
    notices: Notices
    appeals: Appeals
    exemptions: Exemptions
    holidays: Holidays
    revisit: Revisit
    findings: FindingTerms
    notifications: Notifications


_File = TypeVar("_File", bound=PolicyFile)


def load_policy(folder: Path) -> Policy:
    """Read and check all files of the folder. Raises :class:`~compliance.faults.PolicyBroken` with up to twenty errors."""
    problems = Problems()
    sources = {name: Source(folder / f"{name}.yaml", problems) for name in Policy.__struct_fields__}
    kinds = {one.name: one.type for one in msgspec.structs.fields(Policy)}
    files = {name: source.read(kinds[name]) for name, source in sources.items()}
    check_accounts(sources["accounts"], files["accounts"], files["platforms"], files["retention"])
    check_retention(sources["retention"], files["retention"], files["accounts"], files["platforms"])
    check_findings(sources["findings"], files["findings"])
    check_revisit(sources["revisit"], files["revisit"])
    check_notifications(sources["notifications"], files["notifications"])
    problems.check()
    return msgspec.convert(files, Policy)


def load_accounts(file: Path) -> Accounts:
    """Read ``accounts.yaml`` alone; platforms and series are checked against the files beside it where they exist.

    Raises :class:`~compliance.faults.PolicyBroken`.
    """
    problems = Problems()
    source = Source(file, problems)
    accounts = source.read(Accounts)
    platforms = _beside(file, "platforms.yaml", Platforms)
    retention = _beside(file, "retention.yaml", Retention)
    check_accounts(source, accounts, platforms, retention)
    problems.check()
    assert accounts is not None  # noqa: S101 - check() raised otherwise
    return accounts


def load_retention(file: Path) -> Retention:
    """Read ``retention.yaml`` alone, checked against the files beside it where they exist.

    Raises :class:`~compliance.faults.PolicyBroken`.
    """
    problems = Problems()
    source = Source(file, problems)
    retention = source.read(Retention)
    check_retention(
        source, retention, _beside(file, "accounts.yaml", Accounts), _beside(file, "platforms.yaml", Platforms)
    )
    problems.check()
    assert retention is not None  # noqa: S101 - check() raised otherwise
    return retention


def _beside(file: Path, name: str, kind: type[_File]) -> _File | None:
    beside = file.parent / name
    return Source(beside, Problems()).read(kind) if beside.is_file() else None
