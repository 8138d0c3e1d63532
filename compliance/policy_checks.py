"""What policy files must say of themselves and of each other, beyond the types of their fields."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from msgspec import Struct

    from compliance.policy import Accounts, Platforms, PolicyAccount, Retention, Rule, Series
    from compliance.policy_findings import FindingTerms, Notifications
    from compliance.policy_revisit import Revisit
    from compliance.policy_source import Source


_T = TypeVar("_T")
MOST = 500_000
"""The largest number a policy file may give: in days, some 1,370 years."""


def check_accounts(
    source: Source, accounts: Accounts | None, platforms: Platforms | None, retention: Retention | None
) -> None:
    """Check names, ids, owners, dates, platforms and series. Files that could not be read are left out of it."""
    if accounts is None:
        return
    known_platforms = _known(platforms.platforms, "name") if platforms else None
    known_series = _known(retention.series, "code") if retention else None
    for number, account in _numbered(accounts.accounts):
        where = f"accounts[{number}]"
        _account(source, where, account)
        _among(source, f"{where}.platform", account.platform, known_platforms)
        if account.retention is not None:
            _among(source, f"{where}.retention", account.retention, known_series)
    _unique(source, "accounts", "name", ((number, one.name) for number, one in _numbered(accounts.accounts)))
    ids = ((number, f"{one.platform}:{one.id}") for number, one in _numbered(accounts.accounts))
    _unique(source, "accounts", "id", ids)


def check_retention(
    source: Source, retention: Retention | None, accounts: Accounts | None, platforms: Platforms | None
) -> None:
    """Check codes, periods, patterns, and that rules name only series, accounts and platforms there are."""
    if retention is None:
        return
    for number, series in _numbered(retention.series):
        _series(source, f"series[{number}]", series)
    known = {
        "series": _known(retention.series, "code"),
        "account": _known(accounts.accounts, "name") if accounts else None,
        "platform": _known(platforms.platforms, "name") if platforms else None,
    }
    for number, rule in _numbered(retention.rules):
        where = f"rules[{number}]"
        _among(source, f"{where}.series", rule.series, known["series"])
        for field in ("account", "platform"):
            for place, value in _numbered(getattr(rule.when, field)):
                _among(source, f"{where}.when.{field}[{place}]", value, known[field])
        _pattern(source, f"{where}.when.text", rule)
    _unique(source, "series", "code", ((number, one.code) for number, one in _numbered(retention.series)))
    _unique(source, "rules", "name", ((number, one.name) for number, one in _numbered(retention.rules)))


def check_findings(source: Source, terms: FindingTerms | None) -> None:
    """Check that every number is one to count with."""
    if terms is None:
        return
    _counts(source, {"": terms, "silence.": terms.silence, "quarantine.": terms.quarantine, "shapes.": terms.shapes})
    for where, value in (
        ("silence.usual_percentile", terms.silence.usual_percentile),
        ("quarantine.percent", terms.quarantine.percent),
        ("shapes.share_percent", terms.shapes.share_percent),
    ):
        if value > 100:  # noqa: PLR2004 - percent
            source.wrong(where, f"must be 100 at most, not {value}")


def check_revisit(source: Source, revisit: Revisit | None) -> None:
    """Check that every number is one to count with, and that no step or budget is said twice."""
    if revisit is None:
        return
    parts: dict[str, Struct] = {"": revisit, "hot_threads.": revisit.hot_threads, "history.": revisit.history}
    parts |= {f"steps[{number}].": step for number, step in _numbered(revisit.steps)}
    parts |= {f"budgets[{number}].": budget for number, budget in _numbered(revisit.budgets)}
    _counts(source, parts)
    _unique(
        source,
        "steps",
        "younger_than_days",
        ((number, one.younger_than_days) for number, one in _numbered(revisit.steps)),
    )
    _unique(source, "budgets", "platform", ((number, one.platform) for number, one in _numbered(revisit.budgets)))


def check_notifications(source: Source, told: Notifications | None) -> None:
    """Check names, addresses and the quiet period."""
    if told is None:
        return
    if told.quiet_hours < 0:
        source.wrong("quiet_hours", f"must be 0 or more, not {told.quiet_hours}")
    for number, mail in _numbered(told.mail):
        where = f"mail[{number}]"
        _mail_address(source, f"{where}.from", mail.sender)
        for place, address in _numbered(mail.to):
            _mail_address(source, f"{where}.to[{place}]", address)
        if not mail.to:
            source.wrong(f"{where}.to", "names nobody")
    names = [(f"mail[{number}]", one.name) for number, one in _numbered(told.mail)]
    names += [(f"webhooks[{number}]", one.name) for number, one in _numbered(told.webhooks)]
    first: dict[str, str] = {}
    for where, name in names:
        if name in first:
            source.wrong(f"{where}.name", f"'{name}' is taken by {first[name]}")
        first.setdefault(name, where)


def _mail_address(source: Source, where: str, address: str) -> None:
    if not re.fullmatch(r"[^\s@<>,;:\"]+@[^\s@<>,;:\"]+", address):
        source.wrong(where, f"'{address}' is not a mail address")


def _account(source: Source, where: str, account: PolicyAccount) -> None:
    if (account.department is None) == (account.office is None):
        source.wrong(where, "an account belongs to a department or to an office: give exactly one of them")
    if not account.name.replace("-", "").replace("_", "").isalnum() or not account.name.isascii():
        source.wrong(f"{where}.name", f"'{account.name}' may hold only letters, digits, '-' and '_'")
    if account.credential_expires is not None and account.credential is None:
        source.wrong(f"{where}.credential_expires", "the account names no credential that could expire")
    for number, holder in _numbered(account.holders):
        if holder.until is not None and holder.until < holder.start:
            source.wrong(f"{where}.holders[{number}].until", f"{holder.until} is before 'from' {holder.start}")


def _series(source: Source, where: str, series: Series) -> None:
    period = series.period
    if isinstance(period, str):
        return
    if min(period.years, period.months, period.days) < 0 or period.years + period.months + period.days == 0:
        source.wrong(f"{where}.period", "must be 'permanent' or a time such as {years: 3}")


def _pattern(source: Source, where: str, rule: Rule) -> None:
    if rule.when.text is None:
        return
    try:
        with duckdb.connect() as connection:
            connection.execute("SELECT regexp_matches('', ?)", [rule.when.text])
    except duckdb.Error as problem:
        said = str(problem).partition(":")[2].strip().partition("\n")[0]
        source.wrong(where, f"is not an RE2 pattern: {said}")


def _among(source: Source, where: str, value: str, known: list[str] | None) -> None:
    if known is not None and value not in known:
        source.wrong(where, f"'{value}' is not one of {', '.join(known)}")


def _unique(source: Source, where: str, field: str, values: Iterable[tuple[int, str | int]]) -> None:
    first: dict[str | int, int] = {}
    for number, value in values:
        if value in first:
            source.wrong(f"{where}[{number}].{field}", f"'{value}' is taken by {where}[{first[value]}]")
        first.setdefault(value, number)


def _counts(source: Source, parts: Mapping[str, Struct]) -> None:
    """Whole numbers are counts or times: at least 1, and short enough to reckon with."""
    for prefix, part in parts.items():
        for name in part.__struct_fields__:
            value = getattr(part, name)
            if type(value) is int and value < 1:
                source.wrong(f"{prefix}{name}", f"must be 1 or more, not {value}")
            elif type(value) is int and value > MOST:
                source.wrong(f"{prefix}{name}", f"must be {MOST} at most, not {value}")


def _numbered(items: Sequence[_T | None]) -> Iterator[tuple[int, _T]]:
    """Items with their place, without those that could not be read."""
    return ((number, item) for number, item in enumerate(items) if item is not None)


def _known(items: Sequence[object | None], field: str) -> list[str] | None:
    """What others may refer to; ``None`` if some could not be read, so that nobody is blamed for them."""
    return None if None in items else [getattr(item, field) for item in items]
