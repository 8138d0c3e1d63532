"""The state of the sample city: who wrote what, what became of it, who is blocked. It changes only by its acts.

Platform rules live in the fronts (``bluesky.py``, ``mastodon.py``, ``wordpress.py``); here is what happened.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from samplecity.identifiers import snowflake, tid
from samplecity.people import Account, Person, city_accounts

if TYPE_CHECKING:
    from datetime import datetime

Kind = Literal["post", "comment"]
POST_COLLECTION = "app.bsky.feed.post"
TAKE_DOWN = "!takedown"
"""Bluesky: the label with which the platform itself removes something from view."""
HIDDEN_STATUSES = frozenset({"hold", "spam", "trash", "draft", "private", "pending"})
"""WordPress: what the public cannot see while the item is still there."""


class WorldError(Exception):
    """An act that cannot be done; the message says which and why."""


@dataclass(slots=True)
class Entry:
    """A post or a comment with all its versions."""

    native_id: str
    """The id as the archive writes it: an at-URI, ``host/number``, ``host/post/number``."""
    kind: Kind
    account: str
    """Name of the City's account in whose thread it stands."""
    author: Person
    at: datetime
    versions: list[tuple[str, datetime]]
    """Text and since when; the last is the present one."""
    title: str = ""
    parent: str | None = None
    root: str | None = None
    status: str = "public"
    """Mastodon: visibility. WordPress: status. Bluesky: always public."""
    type: str = "comment"
    """WordPress comments: comment or pingback."""
    created_text: str = ""
    """Bluesky: ``createdAt`` exactly as the author's app wrote it."""
    lang: str = "en"
    picture: str = ""
    """Description of a picture attached to it; empty for none."""
    boosts: str | None = None
    """Mastodon: the status that this one passes on."""
    deleted_at: datetime | None = None

    @property
    def text(self) -> str:
        """The present text."""
        return self.versions[-1][0]

    @property
    def edited_at(self) -> datetime | None:
        """When it was last edited."""
        return self.versions[-1][1] if len(self.versions) > 1 else None

    @property
    def number(self) -> str:
        """The last part of the id: a rkey, a snowflake, a WordPress number."""
        return self.native_id.rsplit("/", 1)[-1]

    @property
    def record_id(self) -> str:
        """``platform:native-id``."""
        return f"{self.author.platform}:{self.native_id}"


@dataclass(slots=True)
class Gate:
    """Bluesky: the thread gate of a post, with the replies it hides."""

    root: str
    at: datetime
    hidden: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Bar:
    """A block or a mute that is in force."""

    account: str
    action: Literal["block", "mute"]
    subject: Person
    at: datetime
    rkey: str


@dataclass(slots=True)
class Label:
    """Bluesky: what the platform's moderation service says about a post or comment."""

    uri: str
    value: str
    at: datetime
    number: int
    """Each word of the service has a higher one than the word before."""
    in_force: bool = True


class World:
    """Accounts, entries and moderation at ``moment``. Every reader and every act holds ``lock``."""

    def __init__(self, now: datetime) -> None:
        self.lock = threading.RLock()
        self.now = now
        self.moment = 0
        self.accounts: dict[str, Account] = city_accounts(now)
        self.entries: dict[str, Entry] = {}
        self.children: dict[str, list[str]] = {}
        self._by_author: dict[str, list[Entry]] = {}
        self.gates: dict[str, Gate] = {}
        self.bars: list[Bar] = []
        self.labels: dict[tuple[str, str], Label] = {}
        """Subject and value -> the last word."""
        self.people: dict[tuple[str, str], Person] = {}
        self.dids: dict[str, str] = {}
        """Bluesky handle -> DID."""
        self._wordpress_number = {"post": 40, "comment": 300}
        self._sequence = 0
        for account in self.accounts.values():
            self.meet(account.owner)

    def meet(self, person: Person) -> None:
        """Make a person known to the platform."""
        self.people[person.platform, person.native_id] = person
        if person.platform == "bluesky":
            self.dids[person.handle] = person.number

    def account(self, name: str) -> Account:
        """An account by name. Raises :class:`WorldError`."""
        if name not in self.accounts:
            msg = f"no account is called {name!r}; there are {', '.join(self.accounts)}"
            raise WorldError(msg)
        return self.accounts[name]

    def entry(self, native_id: str) -> Entry:
        """An entry that is there. Raises :class:`WorldError`."""
        entry = self.entries.get(native_id)
        if entry is None or entry.deleted_at:
            msg = f"there is no {native_id}"
            raise WorldError(msg)
        return entry

    def live(self, native_id: str | None) -> Entry | None:
        """The entry, or ``None`` where it never was, was deleted, or its author is gone."""
        entry = self.entries.get(native_id or "")
        return entry if entry and not entry.deleted_at and entry.author.is_shown else None

    def shown(self, native_id: str | None) -> Entry | None:
        """The entry, if it is there and the platform did not take it down."""
        entry = self.live(native_id)
        return entry if entry and not self.is_taken_down(entry) else None

    def written_by(self, person: Person) -> list[Entry]:
        """What someone wrote and what is still there, in the order in which it was made."""
        return [entry for entry in self._by_author.get(person.native_id, ()) if self.live(entry.native_id)]

    def replies(self, native_id: str) -> list[Entry]:
        """What answers an entry, in the order in which it was written."""
        return [entry for child in self.children.get(native_id, ()) if (entry := self.shown(child))]

    def thread(self, native_id: str) -> list[Entry]:
        """All live answers below an entry, whatever became of those between."""
        found: list[Entry] = []
        waiting = list(self.children.get(native_id, ()))
        while waiting:
            child = waiting.pop(0)
            waiting.extend(self.children.get(child, ()))
            if entry := self.live(child):
                found.append(entry)
        return found

    def post(self, account: str, text: str, at: datetime, **more: str) -> Entry:
        """The account publishes something."""
        owner = self.account(account).owner
        native_id = self._new_id("post", owner, at)
        status = "publish" if owner.platform == "wordpress" else "public"
        return self._add(Entry(native_id, "post", account, owner, at, [(text, at)], **{"status": status, **more}))  # type: ignore[arg-type]

    def comment(self, parent: str, author: Person, text: str, at: datetime, **more: str) -> Entry:
        """Someone answers a post or a comment."""
        above = self.entry(parent)
        if above.author.platform == "mastodon" and not above.author.is_shown:
            msg = f"nobody sees {parent}: its author's account is closed"
            raise WorldError(msg)
        native_id = self._new_id("comment", author, at)
        status = {"wordpress": "approved", "mastodon": above.status}.get(author.platform, "public")
        details = {"status": status, **more}
        self.meet(author)
        return self._add(
            Entry(
                native_id,
                "comment",
                above.account,
                author,
                at,
                [(text, at)],
                parent=parent,
                root=above.root or above.native_id,
                **details,  # type: ignore[arg-type]
            )
        )

    def boost(self, account: str, entry: Entry, at: datetime) -> Entry:
        """The account passes a status on (Mastodon)."""
        return self.post(account, "", at, boosts=entry.native_id)

    def edit(self, native_id: str, text: str, at: datetime) -> Entry:
        """The text is replaced."""
        entry = self.entry(native_id)
        if text == entry.text:
            msg = f"{native_id} already says that"
            raise WorldError(msg)
        entry.versions.append((text, at))
        return entry

    def delete(self, native_id: str, at: datetime) -> Entry:
        """Gone for good, by its author or by the platform's owner.

        WordPress deletes a post's comments with it and moves a comment's answers to its parent.
        """
        entry = self.entry(native_id)
        entry.deleted_at = at
        if entry.author.platform == "wordpress":
            self._close_ranks(entry, at)
        return entry

    def restore(self, native_id: str, at: datetime, text: str | None = None) -> Entry:
        """Back under the same id, as Bluesky allows (delete and create with the same key)."""
        entry = self.entries.get(native_id)
        if entry is None or not entry.deleted_at:
            msg = f"{native_id} was not deleted"
            raise WorldError(msg)
        entry.deleted_at = None
        if text is not None and text != entry.text:
            entry.versions.append((text, at))
        return entry

    def hide(self, native_id: str, at: datetime, status: str = "hold") -> Entry:
        """The account hides a comment: by the thread gate (Bluesky), by status (WordPress)."""
        entry = self.entry(native_id)
        platform = entry.author.platform
        if platform == "wordpress":
            entry.status = status
        elif platform == "bluesky" and entry.root:
            gate = self.gates.setdefault(entry.root, Gate(entry.root, at))
            gate.hidden = [*(uri for uri in gate.hidden if uri != native_id), native_id]
        else:
            msg = f"{platform} has no way to hide {native_id}"
            raise WorldError(msg)
        return entry

    def unhide(self, native_id: str) -> Entry:
        """The account shows it again."""
        entry = self.entry(native_id)
        if entry.author.platform == "wordpress":
            entry.status = "publish" if entry.kind == "post" else "approved"
        elif entry.root in self.gates:
            gate = self.gates[entry.root]
            gate.hidden = [uri for uri in gate.hidden if uri != native_id]
        return entry

    def is_hidden(self, entry: Entry) -> bool:
        """Whether the account hides it from the public."""
        if entry.author.platform == "wordpress":
            return entry.status in HIDDEN_STATUSES
        gate = self.gates.get(entry.root or "")
        return bool(gate and entry.native_id in gate.hidden)

    def label(self, native_id: str, value: str, at: datetime) -> Entry:
        """The platform labels something, or takes it down (:data:`TAKE_DOWN`)."""
        entry = self.entry(native_id)
        if entry.author.platform != "bluesky":
            msg = f"{entry.author.platform} has no labels for {native_id}"
            raise WorldError(msg)
        self._say(native_id, value, at, in_force=True)
        return entry

    def unlabel(self, native_id: str, value: str, at: datetime) -> Entry:
        """The platform takes a label back."""
        if all(label.value != value for label in self.labels_on(native_id)):
            msg = f"{native_id} has no label {value!r}"
            raise WorldError(msg)
        self._say(native_id, value, at, in_force=False)
        return self.entries[native_id]

    def labels_on(self, native_id: str) -> list[Label]:
        """What the platform says about something now."""
        return [label for label in self.labels.values() if label.uri == native_id and label.in_force]

    def is_taken_down(self, entry: Entry) -> bool:
        """Whether the platform itself removed it from view."""
        label = self.labels.get((entry.native_id, TAKE_DOWN))
        return bool(label and label.in_force)

    def _say(self, native_id: str, value: str, at: datetime, *, in_force: bool) -> None:
        self._sequence += 1
        self.labels[native_id, value] = Label(native_id, value, at, self._sequence, in_force)

    def bar(self, account: str, action: Literal["block", "mute"], subject: Person, at: datetime) -> Bar:
        """The account blocks or mutes someone."""
        self._sequence += 1
        bar = Bar(self.account(account).name, action, subject, at, tid(at, self._sequence))
        self.bars.append(bar)
        return bar

    def lift(self, account: str, action: Literal["block", "mute"], subject: Person) -> None:
        """The account undoes a block or a mute."""
        kept = [bar for bar in self.bars if (bar.account, bar.action, bar.subject) != (account, action, subject)]
        if len(kept) == len(self.bars):
            msg = f"{account} has no {action} of {subject.handle}"
            raise WorldError(msg)
        self.bars = kept

    def barred(self, account: str, action: str) -> list[Bar]:
        """What is in force, newest first."""
        return [bar for bar in reversed(self.bars) if bar.account == account and bar.action == action]

    def person(self, platform: str, name: str) -> Person:
        """Someone by native id, key or handle. Raises :class:`WorldError`."""
        for person in self.people.values():
            if person.platform == platform and name in (person.native_id, person.key, person.handle):
                return person
        msg = f"nobody on {platform} is {name!r}"
        raise WorldError(msg)

    def _new_id(self, kind: Kind, author: Person, at: datetime) -> str:
        self._sequence += 1
        if author.platform == "bluesky":
            return f"at://{author.number}/{POST_COLLECTION}/{tid(at, self._sequence)}"
        if author.platform == "mastodon":
            return f"{author.service}/{snowflake(at, self._sequence)}"
        self._wordpress_number[kind] += 7 if kind == "post" else 1
        return f"{author.service}/{kind}/{self._wordpress_number[kind]}"

    def _add(self, entry: Entry) -> Entry:
        self.entries[entry.native_id] = entry
        self._by_author.setdefault(entry.author.native_id, []).append(entry)
        if entry.parent:
            self.children.setdefault(entry.parent, []).append(entry.native_id)
        return entry

    def _close_ranks(self, entry: Entry, at: datetime) -> None:
        below = self.children.pop(entry.native_id, [])
        for child in (self.entries[native_id] for native_id in below):
            if entry.kind == "post":
                self._bury(child, at)
                continue
            child.parent = entry.parent
            self.children.setdefault(entry.parent or "", []).append(child.native_id)

    def _bury(self, entry: Entry, at: datetime) -> None:
        entry.deleted_at = entry.deleted_at or at
        for native_id in self.children.get(entry.native_id, []):
            self._bury(self.entries[native_id], at)
