"""Bluesky: from archived answers to rows. What each call asks and what its answers mean stands in ``connectors/bluesky/platform.py``.

``state_basis`` tells how a record was seen: ``record:METHOD`` on its author's server, the truth about content; ``view:METHOD`` through the
AppView, the truth about what the public can see. What both say together: :mod:`transforms.together`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import msgspec

from transforms import bluesky_labels
from transforms import bluesky_moderation as moderation
from transforms.bluesky_account import OK, profile, refusal, status
from transforms.bluesky_post import POST, PostRecord, PostView, from_record, from_view, parts
from transforms.listing import listed
from transforms.quarantine import (
    ITEM_SHAPE,
    NATIVE_ID,
    OTHER_ACCOUNT,
    PAGE_NOT_JSON,
    Broken,
    PageBroken,
    native_id,
)
from transforms.rows import Content, Counts
from transforms.sheets import Item, Outcome, Sheets, sha256
from transforms.spans import Unbalanced, thread_nodes

if TYPE_CHECKING:
    from transforms.page import ArchivedPage


@dataclass(frozen=True, slots=True)
class _Look:
    """One page being read."""

    page: ArchivedPage
    sheets: Sheets
    basis: str
    account: str
    server: str
    """Base URL of the server asked."""

    @classmethod
    def of(cls, page: ArchivedPage, sheets: Sheets, basis: str) -> _Look:
        address = urlsplit(page.url)
        account = page.account_id.removeprefix("bluesky:")
        return cls(page, sheets, basis, account, f"{address.scheme}://{address.netloc}")


FEW = 2
"""An answer that shows none of more than so many posts says nothing about them; who asks goes by the same number."""


# --- posts and comments ---------------------------------------------------------------------------

_record = msgspec.json.Decoder(PostRecord).decode
_view = msgspec.json.Decoder(PostView).decode


def _show(look: _Look, content: Content) -> None:
    """A reply is a comment, also the account's own; a post that answers nothing must be the account's."""
    if content.parent_id is not None or content.root_id is not None:
        look.sheets.comments.add(content)
    elif content.author_is_account:
        look.sheets.posts.add(content)
    else:
        raise Broken(OTHER_ACCOUNT, "a post of another account that answers nothing")


def _post(look: _Look, item: Item) -> None:
    found = _record(item)
    _show(look, from_record(found, sha256(item), look.basis, look.account, look.server))


def _post_view(look: _Look, item: Item) -> None:
    found = _view(item)
    content = from_view(found, sha256(item), look.basis, look.account)
    if content.author_is_account:
        look.sheets.own_views.add(content)
    else:
        _show(look, content)
    bluesky_labels.show_with_post(look.sheets, found.labels, found.uri, at=look.page.fetched_at, basis=look.basis)
    look.sheets.counts.add(
        Counts(
            record_id=content.record_id,
            likes=found.like_count,
            shares=found.repost_count,
            replies=found.reply_count,
            quotes=found.quote_count,
        )
    )


def _views(page: ArchivedPage, sheets: Sheets) -> None:
    """``getPosts``: what was asked for and is not there is not shown to the public. If nothing of much is there, the AppView is in trouble."""
    look = _Look.of(page, sheets, "view:getPosts")
    items = listed(page.content, "posts")
    sheets.each(items, partial(_post_view, look))
    shown = {native_id(bytes(item)) for item in items}
    if None in shown:
        return
    asked = dict.fromkeys(parse_qs(urlsplit(page.url).query).get("uris", []))
    is_believed = bool(items) or len(asked) <= FEW
    sheets.each(
        [uri.encode() for uri in asked if uri not in shown],
        lambda uri: _not_shown(look, bytes(uri).decode("utf-8", "replace")) if is_believed else "nothing_shown",
    )


def _not_shown(look: _Look, uri: str) -> None:
    """Also what is too young to be shown yet: the public cannot see it."""
    mark = moderation.gone(
        uri, state="unavailable", basis=f"{look.basis} does not show it", payload=sha256(look.page.content)
    )
    look.sheets.marks.add(mark)


def _thread(page: ArchivedPage, sheets: Sheets) -> None:
    """``getPostThread``: every post of the tree is an item, the root too."""
    look = _Look.of(page, sheets, "view:getPostThread")
    try:
        nodes = list(thread_nodes(page.content))
    except Unbalanced:
        raise PageBroken(PAGE_NOT_JSON, f"{len(page.content)} bytes") from None
    for node in nodes:
        if node.above:
            sheets.leave_out("above_the_thread")
        elif node.post is not None:
            sheets.each([node.post], lambda item: _post_view(look, item))
        else:
            sheets.each([node.body], partial(_no_post, node.words.get(b"$type", "")))


def _no_post(kind: str, _: Item) -> Outcome:
    name = kind.rpartition("#")[2]
    if name in _NO_POST:
        return _NO_POST[name]
    raise Broken(ITEM_SHAPE, "a thread node without a post")


_NO_POST = {"notFoundPost": "not_found", "blockedPost": "blocked"}


# --- moderation -----------------------------------------------------------------------------------

_thread_gate_record = msgspec.json.Decoder(moderation.ThreadGateRecord).decode
_post_gate_record = msgspec.json.Decoder(moderation.PostGateRecord).decode
_block_record = msgspec.json.Decoder(moderation.BlockRecord).decode
_list_item = msgspec.json.Decoder(moderation.ListItem).decode


def _thread_gate(look: _Look, item: Item) -> None:
    moderation.show_thread_gate(look.sheets, _thread_gate_record(item), payload=sha256(item), basis=look.basis)


def _post_gate(look: _Look, item: Item) -> None:
    moderation.show_post_gate(look.sheets, _post_gate_record(item), payload=sha256(item), basis=look.basis)


def _block(look: _Look, item: Item) -> None:
    moderation.show_block(look.sheets, _block_record(item), payload=sha256(item), basis=look.basis)


def _list(page: ArchivedPage, sheets: Sheets) -> None:
    """``getList`` of a blocked list: its members are blocked."""
    look = _Look.of(page, sheets, "view:getList")

    def member(item: Item) -> None:
        moderation.show_list_item(
            sheets,
            _list_item(item),
            blocked_list=page.subject,
            actor=look.account,
            payload=sha256(item),
            basis=look.basis,
        )

    sheets.each(listed(page.content, "items"), member)


def _labelers(_page: ArchivedPage, _sheets: Sheets) -> None:
    """Asked for its header: it holds no items."""


_Show = Callable[[_Look, Item], None]

_COLLECTIONS: Mapping[str, _Show] = {
    POST: _post,
    moderation.THREAD_GATE: _thread_gate,
    moderation.POST_GATE: _post_gate,
    moderation.BLOCK: _block,
    moderation.LIST_BLOCK: _block,
    moderation.LIST_ITEM: _block,
}


def _listing(show: _Show) -> Callable[[ArchivedPage, Sheets], None]:
    """A reader of ``listRecords``."""

    def read(page: ArchivedPage, sheets: Sheets) -> None:
        look = _Look.of(page, sheets, "record:listRecords")
        sheets.each(listed(page.content, "records"), partial(show, look))

    return read


# --- direct reads ---------------------------------------------------------------------------------


def _one_record(page: ArchivedPage, sheets: Sheets) -> None:
    """``getRecord`` on the author's server: there, or deleted."""
    look = _Look.of(page, sheets, "record:getRecord")

    def answer(item: Item) -> Outcome:
        _, collection, _ = parts(page.subject)
        if page.status == OK:
            show = _COLLECTIONS.get(collection)
            if show is None:
                raise Broken(NATIVE_ID, f"a direct read of {collection}")
            show(look, item)
            return None
        error = refusal(page, item)
        if error != "RecordNotFound":
            return f"answer_{page.status}"
        payload = sha256(item)
        sheets.marks.add(
            moderation.gone(page.subject, state="deleted", basis=f"{look.basis}: {error}", payload=payload)
        )
        if collection == moderation.THREAD_GATE:
            moderation.show_no_thread_gate(sheets, page.subject, payload=payload)
        return None

    sheets.whole(answer, page)


CALLS: Mapping[str, Callable[[ArchivedPage, Sheets], None]] = {
    "profile": profile,
    "post_records": _listing(_post),
    "post_views": _views,
    "thread": _thread,
    "reply_views": _views,
    "reply_record": _one_record,
    "thread_gates": _listing(_thread_gate),
    "post_gates": _listing(_post_gate),
    "blocks": _listing(_block),
    "list_blocks": _listing(_block),
    "list": _list,
    "labelers": _labelers,
    "labels": bluesky_labels.labels,
    "confirm_labels": bluesky_labels.confirm_labels,
    "confirm_record": _one_record,
    "confirm_views": _views,
    "confirm_repository": status,
    "account_status": status,
}
ANSWERS = frozenset({"profile", "reply_record", "confirm_record", "confirm_repository", "account_status"})
"""Calls of which a refusal says something."""
