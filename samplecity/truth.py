"""What the platforms can show of the city at each moment, and what changed between: the measure of an archive.

Ids are record ids as the archive writes them (``platform:native-id``). A state is *present*, *hidden*, *deleted* or *unavailable*.
It is what the API shows to someone who holds the account's live credential; accounts whose credential is dead, or
that are not approved, show nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from samplecity.world import TAKE_DOWN

if TYPE_CHECKING:
    from datetime import datetime

    from samplecity.people import Account
    from samplecity.world import Entry, World

CHANGES = ("new", "edited", "deleted", "hidden", "shown", "restored", "unavailable")
VISIBLE = ("present", "hidden")


@dataclass(slots=True)
class Snapshot:
    """The state of every entry at one moment."""

    moment: int
    at: datetime
    states: dict[str, tuple[str, int]]
    """record id -> state and number of the version."""
    causes: dict[str, str]
    """record id -> why it is not shown."""
    moderation: dict[str, list[dict[str, str]]]
    """Account -> hides, blocks, mutes, WordPress statuses and the platform's labels in force."""


@dataclass(slots=True)
class Chronicle:
    """The moments so far."""

    snapshots: list[Snapshot] = field(default_factory=list)

    def note(self, world: World, at: datetime) -> None:
        """Keep how things stand now."""
        states = {entry.record_id: (state(world, entry), len(entry.versions)) for entry in world.entries.values()}
        causes = {entry.record_id: why for entry in world.entries.values() if (why := cause(world, entry))}
        moderation = {name: measures(world, account) for name, account in world.accounts.items()}
        self.snapshots.append(Snapshot(len(self.snapshots), at, states, causes, moderation))

    def truth(self, world: World) -> dict[str, Any]:
        """Everything, as JSON values."""
        accounts = {name: self._account(world, account) for name, account in world.accounts.items()}
        shown = [facts for facts in accounts.values() if facts["approved"] and facts["reachable"]]
        moments = [{"moment": snapshot.moment, "at": snapshot.at.isoformat()} for snapshot in self.snapshots]
        total: dict[str, Any] = {}
        for kind in ("posts", "comments"):
            total[kind] = {moment: sum(facts[kind][moment] for facts in shown) for moment in self._moments()}
        total["changes"] = {
            moment: {
                change: sorted(record for facts in shown for record in facts["changes"][moment][change])
                for change in CHANGES
            }
            for moment in self._moments()[1:]
        }
        return {
            "city": "Harbor Falls",
            "moment": len(self.snapshots) - 1,
            "moments": moments,
            "accounts": accounts,
            "total": total,
        }

    def _moments(self) -> list[str]:
        return [str(snapshot.moment) for snapshot in self.snapshots]

    def _account(self, world: World, account: Account) -> dict[str, Any]:
        facts: dict[str, Any] = {
            "account_id": account.account_id,
            "platform": account.owner.platform,
            "handle": account.owner.handle,
            "approved": account.approved,
            "reachable": account.reachable,
            "posts": {},
            "comments": {},
            "states": {},
            "changes": {},
            "causes": {},
            "moderation": {},
        }
        entries = (
            [entry for entry in world.entries.values() if entry.account == account.name] if account.reachable else []
        )
        for snapshot in self.snapshots:
            moment = str(snapshot.moment)
            states = self._states(entries, snapshot.moment)
            facts["states"][moment] = states
            facts["moderation"][moment] = snapshot.moderation[account.name]
            for kind in ("posts", "comments"):
                facts[kind][moment] = sum(held in VISIBLE for held in states[kind].values())
            if snapshot.moment:
                changed = facts["changes"][moment] = self._changes(entries, snapshot.moment)
                went = [*changed["deleted"], *changed["unavailable"]]
                facts["causes"][moment] = {record: snapshot.causes[record] for record in went}
        return facts

    def _states(self, entries: list[Entry], moment: int) -> dict[str, dict[str, str]]:
        """Records that were visible at some moment up to this one, with how they stand now."""
        found: dict[str, dict[str, str]] = {"posts": {}, "comments": {}}
        for entry in entries:
            past = [snapshot.states.get(entry.record_id) for snapshot in self.snapshots[: moment + 1]]
            now = past[-1]
            if now and any(look and look[0] in VISIBLE for look in past):
                found[f"{entry.kind}s"][entry.record_id] = now[0]
        return found

    def _changes(self, entries: list[Entry], moment: int) -> dict[str, list[str]]:
        before, after = self.snapshots[moment - 1].states, self.snapshots[moment].states
        earlier = [snapshot.states for snapshot in self.snapshots[:moment]]
        changes: dict[str, list[str]] = {change: [] for change in CHANGES}
        for entry in entries:
            record = entry.record_id
            if record not in after:
                continue
            known = any(states.get(record, ("deleted", 0))[0] in VISIBLE for states in earlier)
            for change in _what_changed(before.get(record, ("deleted", 0)), after[record], known=known):
                changes[change].append(record)
        return {change: sorted(records) for change, records in changes.items()}


def state(world: World, entry: Entry) -> str:
    """How one entry stands."""
    if entry.deleted_at:
        return "deleted"
    if not entry.author.is_shown:
        left = entry.author.platform == "mastodon" and not entry.author.active
        return "deleted" if left else "unavailable"
    if world.is_taken_down(entry):
        return "unavailable"
    return "hidden" if world.is_hidden(entry) else "present"


def cause(world: World, entry: Entry) -> str | None:
    """Why an entry is not shown, as far as a platform tells, in the words of ``deletions.cause``; ``None`` while it is shown."""
    author = entry.author
    if not author.is_shown:
        return "author_suspended" if author.active else "author_gone"
    if not entry.deleted_at:
        return "removed_by_platform" if world.is_taken_down(entry) else None
    if author.platform == "wordpress" or entry.account == author.key:
        return "removed_by_city"
    return "unknown" if author.platform == "mastodon" else "deleted_by_author"


def measures(world: World, account: Account) -> list[dict[str, str]]:
    """What an account's moderation shows at a platform, and what the platform's says about its posts and threads."""
    found = [
        {"action": bar.action, "subject": f"{bar.subject.platform}:{bar.subject.native_id}"}
        for action in ("block", "mute")
        for bar in world.barred(account.name, action)
    ]
    for entry in world.entries.values():
        if entry.account == account.name and entry.kind == "comment" and state(world, entry) == "hidden":
            action = entry.status if entry.author.platform == "wordpress" else "hide"
            found.append({"action": action, "subject": entry.record_id})
    for label in world.labels.values():
        entry = world.entries[label.uri]
        if entry.account == account.name and label.in_force:
            action = "takedown" if label.value == TAKE_DOWN else "label"
            found.append({"action": action, "subject": entry.record_id, "reason": label.value})
    return found


def _what_changed(before: tuple[str, int], after: tuple[str, int], *, known: bool) -> list[str]:
    was, is_now = before[0], after[0]
    if not known:
        return ["new"] if is_now in VISIBLE else []
    if was == is_now:
        return ["edited"] if after[1] != before[1] and is_now in VISIBLE else []
    if is_now in ("deleted", "unavailable"):
        return [is_now]
    if was in ("deleted", "unavailable"):
        return ["restored"]
    turned = "hidden" if is_now == "hidden" else "shown"
    return [turned, "edited"] if after[1] != before[1] else [turned]
