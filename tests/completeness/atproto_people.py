"""People on the AT Protocol stack who write, delete and moderate through its public procedures, and what truly came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from atproto_stack import Stack
from completeness.archive import acted
from completeness.life import GONE, Span, Truth

if TYPE_CHECKING:
    from collections.abc import Iterator

POST, GATE, BLOCK = "app.bsky.feed.post", "app.bsky.feed.threadgate", "app.bsky.graph.block"
STRONG, TAKE_DOWN = "com.atproto.repo.strongRef", "!takedown"
PASSWORD = "hunter2-pass"
Record = dict[str, Any]


@dataclass(slots=True)
class People:
    """All accounts of the stack. Whatever they do is noted in the truth, between the moment before and the one when all servers know."""

    stack: Stack
    file: dict[str, Any]
    """The seeder's truth file."""
    truth: Truth
    hidden: set[str] = field(default_factory=set)
    down: set[str] = field(default_factory=set)
    """Posts that the platform took down by themselves."""
    _tokens: dict[str, str] = field(default_factory=dict)
    _noted: list[Callable[[Span], None]] = field(default_factory=list)

    def did(self, handle: str) -> str:
        """An account's immutable id."""
        return str(self.file["accounts"][handle]["did"])

    @contextmanager
    def acting(self) -> Iterator[None]:
        """What is done inside has happened when it ends: the queues between the servers are empty then."""
        begin = datetime.now(UTC)
        yield
        self.stack.control("/process")
        self.happened(Span(begin, datetime.now(UTC)))

    def happened(self, span: Span) -> None:
        """All that was noted and not dated yet happened then."""
        for note in self._noted:
            note(span)
        self._noted.clear()

    # --- records

    def answer(self, author: str, text: str, root: str) -> str:
        """Answer a post."""
        strong = self._strong(root)
        uri = self._create(author, POST, _post(text) | {"reply": {"root": strong, "parent": strong}})
        self.written(uri, "comment", _repo(root), text)
        return uri

    def publish(self, author: str, text: str) -> str:
        """Write a post of one's own."""
        uri = self._create(author, POST, _post(text))
        self.written(uri, "post", self.did(author), text)
        return uri

    def written(self, uri: str, kind: str, account: str, text: str) -> None:
        """Note a post, or an answer below a post of an account."""
        content = self._content(uri, text)
        self._noted.append(lambda span: self.truth.begin(_id(uri), kind, _id(account), span, content=content))

    def _content(self, uri: str, text: str) -> str:
        """A change of the text leaves the files as they were."""
        media = self.file["posts"].get(uri, {}).get("media", [])
        return with_files(text, [f"bluesky:{file['cid']}" for file in media])

    def edit(self, uri: str, text: str) -> None:
        """Change a post."""
        value = self.stack.ask("com.atproto.repo.getRecord", **_parts(uri))["value"]
        self._as(_repo(uri), "com.atproto.repo.putRecord", {**_parts(uri), "record": {**value, "text": text}})
        self.edited(uri, text)

    def edited(self, uri: str, text: str) -> None:
        """Note a change of a post."""
        self._note(uri, content=self._content(uri, text))

    def delete(self, uri: str, *, by_city: bool = False) -> None:
        """Delete a post."""
        self._as(_repo(uri), "com.atproto.repo.deleteRecord", _parts(uri))
        self.deleted(uri, by_city=by_city)

    def deleted(self, uri: str, *, by_city: bool) -> None:
        """Note a deletion."""
        self._note(uri, state="deleted", cause="removed_by_city" if by_city else "deleted_by_author")

    def write_again(self, uri: str, text: str, root: str) -> None:
        """Make a deleted answer again, under the same key."""
        strong = self._strong(root)
        record = _post(text) | {"reply": {"root": strong, "parent": strong}}
        self._as(_repo(uri), "com.atproto.repo.createRecord", {**_parts(uri), "record": record})
        self.made_again(uri, text)

    def made_again(self, uri: str, text: str) -> None:
        """Note that a deleted post is there again."""
        self._note(uri, state="present", content=self._content(uri, text))

    # --- what an account does about others

    def hide(self, root: str, replies: Sequence[str]) -> None:
        """Make these, and no others, the hidden replies of a thread."""
        record = {"$type": GATE, "post": root, "createdAt": _now(), "hiddenReplies": list(replies)}
        gate = f"at://{_repo(root)}/{GATE}/{root.rpartition('/')[2]}"
        self._as(_repo(root), "com.atproto.repo.putRecord", {**_parts(gate), "record": record})
        before = {uri for uri in self.hidden if self.root_of(uri) == root}
        for uri in before - set(replies):
            self.unhidden(uri)
        for uri in set(replies) - before:
            self.was_hidden(uri, _repo(root))

    def was_hidden(self, uri: str, actor: str) -> None:
        """Note that a reply is hidden."""
        self.hidden.add(uri)
        self._note(uri, state="hidden")
        self._noted.append(lambda span: self._action(f"hide/{uri}", "hide", actor, span, _id(uri)))

    def unhidden(self, uri: str) -> None:
        """Note that a reply is hidden no more."""
        self.hidden.discard(uri)
        self._note(uri, state="present")
        self._note(f"hide/{uri}", state="deleted")

    def block(self, by: str, target: str) -> str:
        """Block an account. Returns the block."""
        uri = self._create(by, BLOCK, {"$type": BLOCK, "subject": target, "createdAt": _now()})
        self.blocked(uri, target)
        return uri

    def blocked(self, uri: str, target: str) -> None:
        """Note a block."""
        self._noted.append(lambda span: self._action(uri, "block", _repo(uri), span, _id(target)))

    def undo(self, uri: str) -> None:
        """Take back a block or a gate."""
        self._as(_repo(uri), "com.atproto.repo.deleteRecord", _parts(uri))
        self.undone(uri)

    def undone(self, uri: str) -> None:
        """Note that a block or a gate is no more."""
        self._note(uri, state="deleted")

    def gated(self, uri: str, action: str, subject: str, reason: str | None) -> None:
        """Note a gate, a list or a member of a blocked list."""
        self._noted.append(lambda span: self._action(uri, action, _repo(uri), span, _id(subject), reason))

    # --- the platform

    def take_down(self, uri: str, *, reverse: bool = False) -> None:
        """The platform's moderator takes a post down, or puts it back."""
        self._moderate(_event(reverse=reverse), {"$type": STRONG, **self._strong(uri)})
        self.was_taken_down(uri, reverse=reverse)

    def was_taken_down(self, uri: str, *, reverse: bool) -> None:
        """Note that a post was taken down, or put back. The service that did it says so with a label."""
        self.labeled(uri, TAKE_DOWN, reverse=reverse)
        if reverse:
            self.down.discard(uri)
            self._note(uri, state=self._shown(uri))
        else:
            self.down.add(uri)
            self._note(uri, state="unavailable", cause="removed_by_platform")

    def label(self, uri: str, value: str, *, reverse: bool = False) -> None:
        """The platform's moderator labels a post as it is now, or takes that back."""
        values = {"createLabelVals": [] if reverse else [value], "negateLabelVals": [value] if reverse else []}
        self._moderate("modEventLabel", {"$type": STRONG, **self._strong(uri)}, **values)
        self.labeled(uri, value, reverse=reverse)

    def labeled(self, uri: str, value: str, *, reverse: bool) -> None:
        """Note a label on something that counts, or that it was taken back."""
        name = f"label/{self.stack.info['ozoneDid']}/{value}/{uri}"
        action = "takedown" if value == TAKE_DOWN else "label"
        if reverse:
            self._note(name, state="deleted")
        else:
            self._noted.append(lambda span: self._action(name, action, self._account(uri), span, _id(uri), value))

    def _account(self, uri: str) -> str:
        return self.truth.lives[_id(uri)].account_id.partition(":")[2]

    def suspend(self, handle: str, *, reverse: bool = False) -> None:
        """The platform's moderator takes an account down, or puts it back."""
        self._moderate(_event(reverse=reverse), {"$type": "com.atproto.admin.defs#repoRef", "did": self.did(handle)})
        if reverse:
            self.came_back(handle)
        else:
            self.went(handle, "author_suspended", "unavailable")

    def wake(self, handle: str) -> None:
        """An account that was deactivated is active again."""
        self._as(self.did(handle), "com.atproto.server.activateAccount", {})
        self.came_back(handle)

    def went(self, handle: str, cause: str, state: str) -> None:
        """Note that what an account wrote went with it."""
        for uri in self._written_by(handle):
            self._note(uri, state=state, cause=cause)

    def came_back(self, handle: str) -> None:
        """Note that it is there again, but for what was taken down by itself."""
        for uri in self._written_by(handle):
            self._note(uri, state=self._shown(uri))

    def _shown(self, uri: str) -> str:
        return "hidden" if uri in self.hidden else "present"

    def _written_by(self, handle: str) -> list[str]:
        author = f"at://{self.did(handle)}/{POST}/"
        uris = [record_id.removeprefix("bluesky:") for record_id in self.truth.lives]
        there = (uri for uri in uris if uri.startswith(author) and uri not in self.down)
        return [uri for uri in there if self.truth.lives[_id(uri)].phases[-1].state != "deleted"]

    def root_of(self, uri: str) -> str:
        """The post that begins the thread of a reply."""
        return str(self.file["posts"][uri]["root"])

    # --- how it is noted

    def _note(
        self, uri: str, *, state: str | None = None, content: str | None = None, cause: str | None = None
    ) -> None:
        def note(span: Span) -> None:
            life = self.truth.lives[_id(uri)]
            gone = life.phases[-1].state in GONE
            life.became(span, state=state, content=content, cause=cause or (life.phases[-1].cause if gone else None))

        self._noted.append(note)

    def _action(self, uri: str, action: str, actor: str, span: Span, subject: str, reason: str | None = None) -> None:
        content, record_id = acted(action, subject, reason), _id(uri)
        if record_id in self.truth.lives:
            self.truth.lives[record_id].became(span, state="present", content=content)
        else:
            self.truth.begin(record_id, action, f"bluesky:{actor}", span, content=content)

    # --- calls

    def _create(self, author: str, collection: str, record: Record) -> str:
        did = self.did(author)
        body = {"repo": did, "collection": collection, "record": record}
        return str(self._as(did, "com.atproto.repo.createRecord", body)["uri"])

    def _moderate(self, kind: str, subject: Mapping[str, Any], **more: Any) -> None:
        moderator = self.did("moddesk.test")
        event = {"$type": f"tools.ozone.moderation.defs#{kind}", **more}
        body = {"event": event, "subject": subject, "createdBy": moderator}
        to = f"{self.stack.info['ozoneDid']}#atproto_labeler"
        self._as(moderator, "tools.ozone.moderation.emitEvent", body, to=to)

    def _strong(self, uri: str) -> dict[str, str]:
        return {"uri": uri, "cid": str(self.stack.ask("com.atproto.repo.getRecord", **_parts(uri))["cid"])}

    def _as(self, did: str, method: str, body: Mapping[str, Any], *, to: str = "") -> dict[str, Any]:
        if did not in self._tokens:
            login = {"identifier": did, "password": PASSWORD}
            self._tokens[did] = self.stack.call("com.atproto.server.createSession", login)["accessJwt"]
        return self.stack.call(method, body, token=self._tokens[did], to=to)


def with_files(text: str, files: Sequence[str]) -> str:
    """What of a post is compared: its text and which files it shows."""
    return " ".join([text, *sorted(files)])


def _event(*, reverse: bool) -> str:
    return "modEventReverseTakedown" if reverse else "modEventTakedown"


def _post(text: str) -> Record:
    return {"$type": POST, "text": text, "createdAt": _now()}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _id(uri: str) -> str:
    return f"bluesky:{uri}"


def _repo(uri: str) -> str:
    return uri.split("/")[2]


def _parts(uri: str) -> dict[str, str]:
    _, _, repo, collection, key = uri.split("/")
    return {"repo": repo, "collection": collection, "rkey": key}
