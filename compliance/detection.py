"""From how the accounts stand to what is wrong. Pure: facts, terms and a moment in, conditions out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from compliance.findings import Condition, condition, tidy
from warehouse.ledger import RUNNING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from compliance.accounts import Account
    from compliance.mart_facts import MartFacts
    from compliance.policy_findings import FindingTerms
    from compliance.standing import LastLook, Standing

BY_OUTCOME = {
    "credential_rejected": "credential_rejected",
    "credential_missing": "credential_missing",
    "scope_missing": "scope_missing",
    "account_unavailable": "account_unavailable",
    "contract_broken": "answer_broken",
    "paging_loop": "paging_broken",
    "suspicious_shrink": "suspicious_shrink",
}
"""Outcome of a look in the ledger -> code of the finding."""
BY_STATE = {
    **dict.fromkeys(("suspended", "takedown", "withheld"), "account_suspended"),
    **dict.fromkeys(("deleted", "deactivated", "not_found", "gone"), "account_vanished"),
}
"""Reason of an ``account_unavailable`` look -> code of the finding, where it is a graver one."""
OF_LEDGER = frozenset(
    {
        *BY_OUTCOME.values(),
        *BY_STATE.values(),
        "credential_expiring",
        "credential_expired",
        "capture_overdue",
        "gap_open",
    }
)
OF_MART = frozenset({"account_renamed", "account_silent", "quarantine_high"})
STALE = "mart_stale"
OVER_BUDGET = "budget_exceeded"


def of_ledger(
    standings: Iterable[Standing], terms: FindingTerms, now: datetime, *, every: timedelta
) -> Iterator[Condition]:
    """What the registry and the ledger tell. ``every`` is the interval of captures."""
    for one in standings:
        yield from _expiry(one.account, terms, now)
        yield from _outcomes(one)
        yield from _overdue(one, now, every + timedelta(minutes=terms.overdue_minutes))
        yield from _uncovered(one, now, timedelta(hours=terms.gap_hours))


def of_mart(standings: Iterable[Standing], facts: MartFacts, terms: FindingTerms, now: datetime) -> Iterator[Condition]:
    """What the mart tells of accounts."""
    for one in standings:
        yield from _renamed(one.account, facts)
        yield from _silent(one, facts, terms, now)
        yield from _set_aside(one.account, facts, terms)


def of_budgets(over: Mapping[str, tuple[float, float]]) -> Iterator[Condition]:
    """Lanes (platform and credential) whose plan needs more requests a day than they may spend: needed, allowed."""
    for lane, (needed, allowed) in sorted(over.items()):
        said = (
            f"{lane}: looking again as the policy asks takes {needed:,.0f} requests a day, {allowed:,.0f} may be spent"
        )
        yield condition(OVER_BUDGET, f"{said}; older records are looked at less often until it fits", subject=lane)


def of_age(
    standings: Sequence[Standing], built_at: datetime | None, terms: FindingTerms, now: datetime
) -> Iterator[Condition]:
    """Whether the mart is too old; ``built_at`` is ``None`` where there is none."""
    allowed = timedelta(hours=terms.mart_hours)
    captured = [look.completed_at for one in standings for look in one.looks if look.completed_at]
    waiting_since = built_at or min(captured, default=None)
    if waiting_since is not None and now - waiting_since > allowed:
        what = (
            f"was last built {_moment(waiting_since)}"
            if built_at
            else f"was never built, though captures were complete since {_moment(waiting_since)}"
        )
        yield condition(STALE, f"The mart {what}", subject="mart")


def _expiry(account: Account, terms: FindingTerms, now: datetime) -> Iterator[Condition]:
    last = account.credential_expires
    if last is None:
        return
    left = (last - now.date()).days
    about = f"Credential {account.credential or 'of the account'} of {account.name}"
    if left < 0:
        yield condition("credential_expired", f"{about} expired after {last}", account=account, expires=str(last))
    elif left <= terms.credential_warn_days:
        days = "today is its last day" if left == 0 else f"{left} day{'s' if left > 1 else ''} left"
        yield condition(
            "credential_expiring", f"{about} expires after {last}: {days}", account=account, expires=str(last)
        )


def _outcomes(one: Standing) -> Iterator[Condition]:
    by_code: dict[str, list[LastLook]] = {}
    for look in one.looks:
        code = _code(look)
        if code:
            by_code.setdefault(code, []).append(look)
    for code, looks in by_code.items():
        first = min(looks, key=lambda look: (look.message or "").startswith("not tried"))
        resources = [look.resource for look in looks]
        yield condition(
            code,
            f"{one.account.name}, {', '.join(resources)}: {tidy(first.message or first.told or '', 300)}",
            account=one.account,
            resources=resources,
            capture_id=first.told_by,
        )


def _code(look: LastLook) -> str | None:
    code = BY_OUTCOME.get(look.told or "")
    return BY_STATE.get(look.reason or "", code) if code == "account_unavailable" else code


def _overdue(one: Standing, now: datetime, allowed: timedelta) -> Iterator[Condition]:
    """Resources without a recent complete look, unless something else says why already or a look is at work."""
    late = [look for look in one.looks if _is_late(look, one, now, allowed)]
    if late:
        oldest = min(look.completed_at or one.since for look in late)
        outcomes = sorted({look.outcome for look in late})
        again = min((look.retry_at for look in late if look.retry_at), default=None)
        waits = f"; to be tried again {_moment(again)}" if again else ""
        yield condition(
            "capture_overdue",
            f"{one.account.name}: no complete look at {', '.join(look.resource for look in late)} since {_moment(oldest)}; "
            f"the last ended with {', '.join(outcomes)}{waits}",
            account=one.account,
            resources=[look.resource for look in late],
            outcomes=outcomes,
        )
    elif not one.looks and now - one.since > allowed:
        yield condition(
            "capture_overdue",
            f"{one.account.name}: approved {_moment(one.since)}, and never looked at",
            account=one.account,
            resources=[],
            outcomes=[],
        )


def _is_late(look: LastLook, one: Standing, now: datetime, allowed: timedelta) -> bool:
    at_work = look.outcome == RUNNING and now - look.progressed_at <= allowed
    explained = _code(look) is not None or look.outcome == "not_covered"
    return not at_work and not explained and now - max(look.completed_at or one.since, one.since) > allowed


def _uncovered(one: Standing, now: datetime, allowed: timedelta) -> Iterator[Condition]:
    long = [gap for gap in one.gaps if now - gap.opened_at > allowed and gap.cause != "not_covered"]
    if long:
        what = "; ".join(f"{gap.resource} since {_moment(gap.opened_at)} ({gap.cause})" for gap in long)
        gap_ids = [gap.gap_id for gap in long]
        yield condition("gap_open", f"{one.account.name}: not covered: {what}", account=one.account, gaps=gap_ids)


def _renamed(account: Account, facts: MartFacts) -> Iterator[Condition]:
    handle = facts.handles.get(account.account_id)
    if handle is not None and handle.casefold().lstrip("@") != account.handle.casefold().lstrip("@"):
        said = f"{account.name}: its platform calls it {tidy(handle, 100)}, the registry {account.handle}"
        yield condition("account_renamed", said, account=account, handle=tidy(handle, 100))


def _silent(one: Standing, facts: MartFacts, terms: FindingTerms, now: datetime) -> Iterator[Condition]:
    """Counted to the last complete look at posts: what nobody looked at is not silence."""
    habit, looked = facts.habits.get(one.account.account_id), one.look("posts")
    if habit is None or looked is None or looked.completed_at is None:
        return
    allowed = max(habit.usual * terms.silence.times, timedelta(days=terms.silence.at_least_days))
    seen_to = min(looked.completed_at, facts.built_at, now)
    if seen_to - habit.last_published_at > allowed:
        yield condition(
            "account_silent",
            f"{one.account.name}: no post since {_moment(habit.last_published_at)}; "
            f"of its last {habit.posts} posts hardly any came more than {_days(habit.usual)} after the one before",
            account=one.account,
            posts=habit.posts,
            usual_hours=round(habit.usual / timedelta(hours=1), 1),
        )


def _set_aside(account: Account, facts: MartFacts, terms: FindingTerms) -> Iterator[Condition]:
    found = facts.set_aside.get(account.account_id)
    limit = terms.quarantine
    if found and found.quarantined >= limit.at_least and found.quarantined * 100 >= limit.percent * found.items:
        yield condition(
            "quarantine_high",
            f"{account.name}: {found.quarantined:,} of {found.items:,} items of the last {limit.window_hours} hours could not be read, "
            f"mostly {found.call}: {found.reason}",
            account=account,
            call=found.call,
            reason=found.reason,
        )


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _days(span: timedelta) -> str:
    hours = span / timedelta(hours=1)
    return f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.0f} hours"  # noqa: PLR2004 - two days
