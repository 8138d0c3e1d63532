"""What an account does about others on Bluesky: thread gates, post gates, blocks, and lists of blocked accounts.

Each is a record in the account's own repository, so its at-URI is the action's id and a direct read tells whether it is still in force. Hidden
replies have no record of their own: they are entries of the gate, complete each time it is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from transforms.bluesky_post import parts
from transforms.observations import hide_id
from transforms.quarantine import NATIVE_ID, Broken
from transforms.rows import Action, Gate, Mark
from transforms.text import digest, moment

if TYPE_CHECKING:
    from transforms.sheets import Sheets

THREAD_GATE = "app.bsky.feed.threadgate"
POST_GATE = "app.bsky.feed.postgate"
BLOCK = "app.bsky.graph.block"
LIST_BLOCK = "app.bsky.graph.listblock"
LIST_ITEM = "app.bsky.graph.listitem"


class Rule(msgspec.Struct, gc=False):
    """Who may reply, or what may be embedded."""

    type: str | None = msgspec.field(default=None, name="$type")
    list: str | None = None

    @property
    def words(self) -> str:
        """``mentionRule``, ``listRule at://…``."""
        name = (self.type or "").rpartition("#")[2]
        return f"{name} {self.list}" if self.list else name


class ThreadGate(msgspec.Struct, gc=False, rename="camel"):
    """``app.bsky.feed.threadgate``: ``allow`` absent lets everyone reply, empty nobody."""

    post: str
    allow: list[Rule] | None = None
    hidden_replies: list[str] | None = None
    created_at: str | None = None


class PostGate(msgspec.Struct, gc=False, rename="camel"):
    """``app.bsky.feed.postgate``: quotes the account detached, and whether quoting is allowed at all."""

    post: str
    detached_embedding_uris: list[str] | None = None
    embedding_rules: list[Rule] | None = None
    created_at: str | None = None


class Block(msgspec.Struct, gc=False, rename="camel"):
    """``app.bsky.graph.block`` (a DID), ``…listblock`` (a list) or ``…listitem`` (a DID of a list)."""

    subject: str
    list: str | None = None
    created_at: str | None = None


class ThreadGateRecord(msgspec.Struct, gc=False):
    """An element of ``listRecords``."""

    uri: str
    value: ThreadGate


class PostGateRecord(msgspec.Struct, gc=False):
    """An element of ``listRecords``."""

    uri: str
    value: PostGate


class BlockRecord(msgspec.Struct, gc=False):
    """An element of ``listRecords``."""

    uri: str
    value: Block


class Member(msgspec.Struct, gc=False):
    """The account a list names; of its profile only the id is read."""

    did: str


class ListItem(msgspec.Struct, gc=False):
    """An element of ``getList``."""

    uri: str
    subject: Member


def show_thread_gate(sheets: Sheets, found: ThreadGateRecord, *, payload: str, basis: str) -> None:
    """The gate itself, each hidden reply, and the complete list of them."""
    did, _, _ = parts(found.uri)
    gate = found.value
    if gate.post.split("/")[2:3] != [did]:
        raise Broken(NATIVE_ID, "a gate of another account's post")
    if gate.allow is None:
        sheets.marks.add(gone(found.uri, state="deleted", basis=f"{basis}: everyone may reply", payload=payload))
    else:
        allowed = ", ".join(rule.words for rule in gate.allow) or "nobody"
        sheets.moderation_actions.add(
            _action(
                found.uri,
                "reply_gate",
                subject=f"bluesky:{gate.post}",
                actor=did,
                payload=payload,
                basis=basis,
                reason=allowed,
                acted_at=gate.created_at,
            )
        )
    hidden = [f"bluesky:{uri}" for uri in dict.fromkeys(gate.hidden_replies or ())]
    for record_id in hidden:
        sheets.moderation_actions.add(
            Action(
                record_id=hide_id(record_id),
                content_sha256=digest("hide", record_id, None),
                payload_sha256=payload,
                action="hide",
                state_basis=basis,
                subject_id=record_id,
                actor_id=did,
            )
        )
    sheets.gates.add(Gate(root_id=f"bluesky:{gate.post}", hidden_ids=hidden, payload_sha256=payload))


def show_no_thread_gate(sheets: Sheets, uri: str, *, payload: str) -> None:
    """The gate is gone: nothing is hidden in its thread, whose post has the same key."""
    did, _, key = parts(uri)
    sheets.gates.add(
        Gate(root_id=f"bluesky:at://{did}/app.bsky.feed.post/{key}", hidden_ids=[], payload_sha256=payload)
    )


def show_post_gate(sheets: Sheets, found: PostGateRecord, *, payload: str, basis: str) -> None:
    """One action per gate; its versions tell which quotes were detached when."""
    did, _, _ = parts(found.uri)
    gate = found.value
    rules = [rule.words for rule in gate.embedding_rules or ()]
    detached = [f"detached {uri}" for uri in gate.detached_embedding_uris or ()]
    reason = ", ".join(rules + detached) or None
    name = "detach_quote" if detached else "quote_gate"
    sheets.moderation_actions.add(
        _action(
            found.uri,
            name,
            subject=f"bluesky:{gate.post}",
            actor=did,
            payload=payload,
            basis=basis,
            reason=reason,
            acted_at=gate.created_at,
        )
    )


def show_block(sheets: Sheets, found: BlockRecord, *, payload: str, basis: str) -> None:
    """An account or a list that is blocked, or a member of a blocked list."""
    did, collection, _ = parts(found.uri)
    block = found.value
    name = "block_list" if collection == LIST_BLOCK else "block"
    reason = f"member of {block.list}" if block.list else None
    sheets.moderation_actions.add(
        _action(
            found.uri,
            name,
            subject=f"bluesky:{block.subject}",
            actor=did,
            payload=payload,
            basis=basis,
            reason=reason,
            acted_at=block.created_at,
        )
    )


def show_list_item(sheets: Sheets, found: ListItem, *, blocked_list: str, actor: str, payload: str, basis: str) -> None:
    """A member of a blocked list."""
    parts(found.uri)
    subject = f"bluesky:{found.subject.did}"
    sheets.moderation_actions.add(
        _action(
            found.uri,
            "block",
            subject=subject,
            actor=actor,
            payload=payload,
            basis=basis,
            reason=f"member of {blocked_list}",
        )
    )


def _action(
    uri: str,
    name: str,
    *,
    subject: str,
    actor: str,
    payload: str,
    basis: str,
    reason: str | None = None,
    acted_at: str | None = None,
) -> Action:
    return Action(
        record_id=f"bluesky:{uri}",
        content_sha256=digest(name, subject, reason),
        payload_sha256=payload,
        action=name,
        state_basis=basis,
        subject_id=subject,
        actor_id=actor,
        reason=reason,
        acted_at=moment(acted_at),
    )


def gone(uri: str, *, state: str, basis: str, payload: str) -> Mark:
    """A mark for a record that was read directly and not found."""
    _, collection, _ = parts(uri)
    kind = "moderation_action" if collection in _MODERATION else None
    return Mark(record_id=f"bluesky:{uri}", kind=kind, state=state, state_basis=basis, payload_sha256=payload)


_MODERATION = frozenset({THREAD_GATE, POST_GATE, BLOCK, LIST_BLOCK, LIST_ITEM})
