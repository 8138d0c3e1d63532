"""The plan of this installation: the policy's steps, what the archive holds to look at again, and each credential's budget."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from connectors.registry import PLATFORMS
from pipeline.lanes import lane_name
from pipeline.plan import Load, Plan, Step, due_reach, plan
from warehouse import backfills, looked

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from compliance.accounts import Account
    from compliance.policy_revisit import Revisit
    from pipeline.workspace import Workspace

UNBOUNDED = float("inf")
GOOD_FOR = timedelta(hours=1)
LONGEST = 1000.0
"""A stretch beyond this is none: what cannot be paid for at all is looked at again when the budget or the policy changes."""


class _Kept(msgspec.Struct, frozen=True):
    at: datetime
    stretch: float


@dataclass(frozen=True, slots=True)
class LanePlan:
    """The day of the accounts that share a credential."""

    lane: str
    platform: str
    accounts: int
    posts: int
    """To be looked at again."""
    plan: Plan


def steps_of(revisit: Revisit) -> list[Step]:
    """The policy's steps, youngest first."""
    made = [Step(timedelta(days=one.younger_than_days), timedelta(hours=one.every_hours)) for one in revisit.steps]
    return sorted(made, key=lambda step: step.age)


def reach_due(workspace: Workspace, account: Account) -> timedelta:
    """How far back the next look at the account reaches. While its past is being read, not beyond what was read."""
    engine, now = workspace.engine, workspace.clock()
    steps = steps_of(workspace.policy.revisit)
    past = backfills.get(engine, account.account_id)
    if past and past.waiting and past.reached_at:  # a step beyond what was read would be due at every look
        steps = [step for step in steps if step.age <= now - past.reached_at]
    before = partial(looked.last_reaching, engine, account.account_id, "posts")
    return due_reach(steps, before, now, stretch=stretch_of(workspace, _lane(account)))


def stretch_of(workspace: Workspace, lane: str) -> float:
    """By how much the lane's intervals are multiplied. Reckoned at most once in :data:`GOOD_FOR`: it takes a look at every account."""
    file = workspace.home / "plan" / f"{lane}.json"
    now = workspace.clock()
    try:
        kept = msgspec.json.decode(file.read_bytes(), type=_Kept)
    except (OSError, msgspec.DecodeError):
        kept = None
    if kept is None or not timedelta() <= now - kept.at < GOOD_FOR:
        (made,) = plans(workspace, lane)
        kept = _Kept(now, min(made.plan.stretch, LONGEST))
        file.parent.mkdir(mode=0o700, exist_ok=True)
        fresh = file.with_suffix(f".{os.getpid()}")
        fresh.write_bytes(msgspec.json.encode(kept))
        fresh.replace(file)
    return kept.stretch


def plans(workspace: Workspace, lane: str | None = None) -> list[LanePlan]:
    """The plan of each credential (or of one), by lane."""
    from compliance import accounts

    revisit = workspace.policy.revisit
    budgets = {one.platform: float(one.requests_per_hour) for one in revisit.budgets}
    by_lane: dict[str, list[Account]] = {}
    for account in accounts.listing(workspace.engine, capturable_only=True):
        if lane is None or _lane(account) == lane:
            by_lane.setdefault(_lane(account), []).append(account)
    return [_plan(workspace, name, mine, revisit, budgets) for name, mine in sorted(by_lane.items())]


def _plan(
    workspace: Workspace, name: str, accounts: Sequence[Account], revisit: Revisit, budgets: dict[str, float]
) -> LanePlan:
    platform = accounts[0].platform
    steps = steps_of(revisit)
    loads = list(_loads(workspace, accounts, steps))
    made = plan(
        steps,
        loads,
        PLATFORMS[platform].cost,
        capture_every=timedelta(minutes=revisit.capture_every_minutes),
        budget_per_hour=budgets.get(platform, UNBOUNDED),
    )
    return LanePlan(name, platform, len(accounts), sum(load.posts[-1] for load in loads if load.posts), made)


def _loads(workspace: Workspace, accounts: Iterable[Account], steps: Sequence[Step]) -> Iterable[Load]:
    from warehouse import known

    now = workspace.clock()
    for account in accounts:
        counts = known.counted(workspace.home, account.account_id, [now - step.age for step in steps])
        yield Load(*counts)


def _lane(account: Account) -> str:
    return lane_name(account.platform, account.credential)
