"""What the mart takes from the registry, the policy and the holds, as Arrow tables with a description of each column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from compliance import accounts, finding_deliveries, findings, holds, retention_events
from transforms.records import TEXTS, UTC, column

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Engine

    from compliance.policy import Retention, Series

ACCOUNTS = pa.schema(
    [
        column("account_id", pa.string(), "platform:native-id; never changes.", required=True),
        column("name", pa.string(), "Name of the account in the registry.", required=True),
        column("title", pa.string(), "What the account is called.", required=True),
        column("platform", pa.string(), "bluesky, mastodon, wordpress, ...", required=True),
        column("native_id", pa.string(), "The platform's immutable id.", required=True),
        column("handle", pa.string(), "Handle as registered.", required=True),
        column("service", pa.string(), "Host name of the server it lives on.", required=True),
        column("status", pa.string(), "proposed, approved, active or deactivated.", required=True),
        column("department", pa.string(), "Department that answers for it."),
        column("office", pa.string(), "Office that answers for it, such as a ward."),
        column("head", pa.string(), "Who is accountable."),
        column("retention", pa.string(), "Series of its own records that no rule matches."),
        column("registered_at", UTC, "When it entered the registry.", required=True),
    ]
)
DECISIONS = pa.schema(
    [
        column("account", pa.string(), "Name of the account.", required=True),
        column("status", pa.string(), "What was decided.", required=True),
        column("decided_by", pa.string(), "Who decided.", required=True),
        column("decided_at", UTC, "When.", required=True),
        column("reason", pa.string(), "Why.", required=True),
    ]
)
ASSIGNMENTS = pa.schema(
    [
        column("account", pa.string(), "Name of the account.", required=True),
        column("person", pa.string(), "Who works with it.", required=True),
        column("role", pa.string(), "As what.", required=True),
        column("assigned_from", pa.date32(), "First day.", required=True),
        column("assigned_until", pa.date32(), "Last day; null while it lasts."),
    ]
)
SERIES = pa.schema(
    [
        column("series", pa.string(), "Code of the series in the City's schedule.", required=True),
        column("title", pa.string(), "Its title.", required=True),
        column("permanent", pa.bool_(), "Whether its records are kept forever.", required=True),
        column("years", pa.int32(), "Period: years; null for a permanent series."),
        column("months", pa.int32(), "Period: months, added to the years."),
        column("days", pa.int32(), "Period: days, added to the months."),
        column("trigger", pa.string(), "What starts the period: published, closed or superseded.", required=True),
        column("authority", pa.string(), "What the series rests on.", required=True),
        column("policy_version", pa.string(), "Version of the retention policy.", required=True),
        column("sample", pa.bool_(), "Whether the policy is only a sample.", required=True),
    ]
)
RULES = pa.schema(
    [
        column("place", pa.int32(), "Rules are read in this order; the first that matches counts.", required=True),
        column("rule", pa.string(), "Name of the rule.", required=True),
        column("series", pa.string(), "Series it gives.", required=True),
        column("accounts", TEXTS, "Names of accounts it is for; empty: all.", required=True),
        column("departments", TEXTS, "Departments it is for; empty: all.", required=True),
        column("offices", TEXTS, "Offices it is for; empty: all.", required=True),
        column("platforms", TEXTS, "Platforms it is for; empty: all.", required=True),
        column("kinds", TEXTS, "Kinds of records it is for; empty: all.", required=True),
        column("author", pa.string(), "account: the City's own words; public: everyone else; null: both."),
        column("text", pa.string(), "RE2 pattern, matched anywhere in title or text, without case."),
    ]
)
EVENTS = pa.schema(
    [
        column("record_id", pa.string(), "The record.", required=True),
        column("event", pa.string(), "closed or superseded.", required=True),
        column("occurred_on", pa.date32(), "The day from which the period runs.", required=True),
        column("noted_by", pa.string(), "Who noted it.", required=True),
        column("noted_at", UTC, "When.", required=True),
        column("reason", pa.string(), "Why.", required=True),
    ]
)
HOLDS = pa.schema(
    [
        column("hold_id", pa.string(), "The hold.", required=True),
        column("reason", pa.string(), "Why it was placed.", required=True),
        column("account_ids", TEXTS, "Accounts it covers; empty: all.", required=True),
        column("kinds", TEXTS, "Kinds of records it covers; empty: all.", required=True),
        column("record_ids", TEXTS, "Single records it covers; empty: not limited to some.", required=True),
        column("published_from", UTC, "Begin of the range of publication it covers."),
        column("published_until", UTC, "End of that range, itself not covered."),
        column("text", pa.string(), "RE2 pattern in title or text, without case."),
        column("query", pa.string(), "Query over the mart that gives the records it covers."),
        column("everything", pa.bool_(), "Whether it covers all records on purpose.", required=True),
        column("placed_by", pa.string(), "Who placed it.", required=True),
        column("placed_at", UTC, "When.", required=True),
        column("released_by", pa.string(), "Who released it."),
        column("released_at", UTC, "When; null while it is in force."),
        column("release_reason", pa.string(), "Why it was released."),
    ]
)

FINDINGS = pa.schema(
    [
        column("finding_id", pa.string(), "One thing that was wrong, from opening to closing.", required=True),
        column("code", pa.string(), "Stable code; docs/findings.md lists them.", required=True),
        column("severity", pa.string(), "info, warning, error or critical.", required=True),
        column("account_id", pa.string(), "The account; null where it is not about one."),
        column("subject", pa.string(), "Name of the account, or what else it is about.", required=True),
        column("message", pa.string(), "What is wrong.", required=True),
        column("advice", pa.string(), "What to do.", required=True),
        column("opened_at", UTC, "When it was first seen.", required=True),
        column("last_seen_at", UTC, "When it was last seen.", required=True),
        column("closed_at", UTC, "When it was seen no more; null while it is open."),
        column("notified_at", UTC, "When the first person or system was told; null where none was."),
    ]
)

SCHEMAS: dict[str, pa.Schema] = {
    "accounts": ACCOUNTS,
    "account_decisions": DECISIONS,
    "account_assignments": ASSIGNMENTS,
    "retention_series": SERIES,
    "retention_rules": RULES,
    "retention_events": EVENTS,
    "holds": HOLDS,
    "findings": FINDINGS,
}
_TITLES = {
    "accounts": "The City-supported accounts, from the registry.",
    "account_decisions": "Who decided on an account's status, when and why.",
    "account_assignments": "Who worked with an account, from when until when.",
    "retention_series": "The series of the City's retention schedule.",
    "retention_rules": "Which records belong to which series, in the order in which the rules are read.",
    "retention_events": "What started a period that does not run from publication.",
    "holds": "What must be kept whatever its series says.",
    "findings": "What was wrong, since when, until when: dead credentials, silent accounts, changed platforms, gaps.",
}


def mart_tables(engine: Engine, retention: Retention) -> dict[str, pa.Table]:
    """All tables the mart takes from here, by name."""
    return {**registry_tables(engine), **retention_tables(engine, retention), "findings": findings_table(engine)}


def registry_tables(engine: Engine) -> dict[str, pa.Table]:
    """``accounts``, ``account_decisions``, ``account_assignments``. Names of credentials stay out."""
    known = accounts.all_details(engine)
    return {
        "accounts": _table(ACCOUNTS, (_fields(one.account, "account_id") for one in known)),
        "account_decisions": _table(
            DECISIONS, ({"account": one.account.name, **_fields(made)} for one in known for made in one.decisions)
        ),
        "account_assignments": _table(
            ASSIGNMENTS, ({"account": one.account.name, **_fields(held)} for one in known for held in one.assignments)
        ),
    }


def retention_tables(engine: Engine, retention: Retention) -> dict[str, pa.Table]:
    """``retention_series``, ``retention_rules``, ``retention_events``, ``holds``."""
    rules = enumerate(retention.rules, start=1)
    return {
        "retention_series": _table(SERIES, (_series(one, retention) for one in retention.series)),
        "retention_rules": _table(
            RULES,
            (
                {
                    "place": place,
                    "rule": rule.name,
                    "series": rule.series,
                    "accounts": rule.when.account,
                    "departments": rule.when.department,
                    "offices": rule.when.office,
                    "platforms": rule.when.platform,
                    "kinds": rule.when.kind,
                    "author": rule.when.author,
                    "text": rule.when.text,
                }
                for place, rule in rules
            ),
        ),
        "retention_events": _table(EVENTS, (_fields(one) for one in retention_events.listing(engine))),
        "holds": _table(HOLDS, ({**_fields(one), **_fields(one.scope)} for one in holds.listing(engine))),
    }


def findings_table(engine: Engine) -> pa.Table:
    """``findings``, open and closed."""
    told = finding_deliveries.told(engine)
    rows = findings.listing(engine, open_only=False)
    return _table(FINDINGS, ({**_fields(one), "notified_at": told.get(one.finding_id)} for one in rows))


def descriptions() -> dict[str, dict[str, str]]:
    """Table -> column -> what it means; the column ``""`` is the table itself."""
    return {
        name: {"": _TITLES[name], **{one.name: one.metadata[b"doc"].decode() for one in schema}}
        for name, schema in SCHEMAS.items()
    }


def _series(series: Series, retention: Retention) -> dict[str, object]:
    period = None if isinstance(series.period, str) else series.period
    return {
        "series": series.code,
        "title": series.title,
        "permanent": period is None,
        "years": period and period.years,
        "months": period and period.months,
        "days": period and period.days,
        "trigger": series.trigger,
        "authority": series.authority,
        "policy_version": retention.version,
        "sample": retention.sample,
    }


def _fields(value: Any, *more: str) -> dict[str, object]:  # noqa: ANN401 - any dataclass
    return {name: getattr(value, name) for name in (*value.__dataclass_fields__, *more)}


def _table(schema: pa.Schema, rows: Iterable[Mapping[str, object]]) -> pa.Table:
    kept = [{name: row[name] for name in schema.names} for row in rows]
    return pa.Table.from_pylist(kept, schema=schema)
