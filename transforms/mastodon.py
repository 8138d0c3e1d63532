"""Mastodon: from archived answers to rows. What each call asks and what its answers mean stands in ``connectors/mastodon/platform.py``.

A boost is the account's own post without text: its link leads to what was boosted, whose words are another's. Statuses only followers or
those addressed may read are ``hidden``, with Mastodon's word for it as ``source_visibility``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from transforms import mastodon_moderation as moderation
from transforms.listing import listed
from transforms.markup import read
from transforms.mastodon_status import Number, Status, Version, counts, from_status, from_version, handle
from transforms.quarantine import OTHER_ACCOUNT, Broken, native_id
from transforms.rows import Mark, Profile
from transforms.sheets import Item, Outcome, Sheets, sha256
from transforms.text import digest, known, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from transforms.page import ArchivedPage

_GONE = frozenset({404, 410})
_CLOSED = frozenset({401, 403})
_OK = 200


def _owner(page: ArchivedPage) -> str:
    return page.account_id.removeprefix("mastodon:")


# --- statuses -------------------------------------------------------------------------------------

_status = msgspec.json.Decoder(Status).decode
_version = msgspec.json.Decoder(Version).decode


def _show(page: ArchivedPage, sheets: Sheets, item: Item, *, basis: str, root: str | None, known_of: bool) -> None:
    """A status that answers another is a comment; one that answers nothing must be the account's, unless it is known already."""
    found = _status(item)
    content = from_status(found, service=page.service, owner=_owner(page), payload=sha256(item), basis=basis, root=root)
    answers = (found.in_reply_to_id, found.in_reply_to_account_id, root) != (None, None, None)
    if answers or (known_of and not content.author_is_account):
        sheets.comments.add(content)
    elif content.author_is_account:
        sheets.posts.add(content)
    else:
        raise Broken(OTHER_ACCOUNT, "a status of another account that answers nothing")
    sheets.counts.add(counts(found, content.record_id))


def _statuses(page: ArchivedPage, sheets: Sheets) -> None:
    sheets.each(
        listed(page.content),
        lambda item: _show(page, sheets, item, basis="account_statuses", root=None, known_of=False),
    )


def _context(page: ArchivedPage, sheets: Sheets) -> None:
    """What stands below a status. Where that status is itself an answer, the topmost ancestor begins the thread."""
    above = listed(page.content, "ancestors")
    below = listed(page.content, "descendants")
    top = native_id(bytes(above[0])) if above else None
    root = f"mastodon:{page.service}/{top}" if top else f"mastodon:{page.subject}"
    sheets.leave_out("ancestor", len(above))
    sheets.each(below, lambda item: _show(page, sheets, item, basis="status_context", root=root, known_of=False))


def _history(page: ArchivedPage, sheets: Sheets) -> None:
    """All versions, oldest first. The first one was not edited yet, and its time is when all of them were published."""
    published: list[str] = []

    def tell(item: Item) -> None:
        found = _version(item)
        content = from_version(
            found, native_id=page.subject, service=page.service, owner=_owner(page), payload=sha256(item)
        )
        published.append(found.created_at)
        content.published_at = moment(published[0])
        content.platform_edited_at = moment(found.created_at) if len(published) > 1 else None
        sheets.told.add(content)

    sheets.each(listed(page.content), tell)


def _direct(page: ArchivedPage, sheets: Sheets) -> None:
    """A status read directly: there, gone, or not for who asks."""

    def answer(item: Item) -> Outcome:
        if page.status == _OK:
            _show(page, sheets, item, basis="confirm_status", root=None, known_of=True)
            return None
        return _absent(page, sheets, item, f"mastodon:{page.subject}", kind=None)

    sheets.whole(answer, page)


def _missing(page: ArchivedPage, sheets: Sheets) -> None:
    """A status of which another answer tells why it is not there, unless it is."""
    if page.status in _GONE:
        sheets.leave_out("told_by_author")
    else:
        _direct(page, sheets)


def _absent(page: ArchivedPage, sheets: Sheets, item: Item, record_id: str, *, kind: str | None) -> Outcome:
    state = "deleted" if page.status in _GONE else "unavailable" if page.status in _CLOSED else None
    if state is None:
        return f"answer_{page.status}"
    basis = f"{page.call}: {page.status}"
    sheets.marks.add(Mark(record_id=record_id, kind=kind, state=state, state_basis=basis, payload_sha256=sha256(item)))
    return None


class _Author(msgspec.Struct):
    id: Number
    suspended: bool = False


_author_of = msgspec.json.Decoder(_Author).decode


def _author(page: ArchivedPage, sheets: Sheets) -> None:
    """The author of statuses that are not there. One who is there tells nothing of them."""
    author, *numbers = page.subject.split(" ")

    def answer(item: Item) -> Outcome:
        if page.status == _OK:
            found = _author_of(item)
            if f"{page.service}/{found.id}" != author:
                raise Broken(OTHER_ACCOUNT, "the answer is about another account")
            if not found.suspended:
                return "author_there"
        elif page.status not in _GONE:
            return f"answer_{page.status}"
        state, basis = (
            ("unavailable", "author: suspended") if page.status == _OK else ("deleted", f"author: {page.status}")
        )
        for number in numbers:
            record_id = f"mastodon:{page.service}/{number}"
            sheets.marks.add(
                Mark(record_id=record_id, kind=None, state=state, state_basis=basis, payload_sha256=sha256(item))
            )
        return None

    sheets.whole(answer, page)


# --- the account ----------------------------------------------------------------------------------


class _Field(msgspec.Struct):
    name: str | None = None
    value: str | None = None


class _Profile(msgspec.Struct):
    id: Number
    acct: str | None = None
    display_name: str | None = None
    note: str | None = None
    url: str | None = None
    avatar: str | None = None
    fields: list[_Field] | None = None
    suspended: bool | None = None


_profile_of = msgspec.json.Decoder(_Profile).decode


def _profile(page: ArchivedPage, sheets: Sheets) -> None:
    """The account as it describes itself; its table of links is part of the description."""

    def answer(item: Item) -> Outcome:
        if page.status != _OK:
            return _absent(page, sheets, item, page.account_id, kind="profile")
        found = _profile_of(item)
        if f"{page.service}/{found.id}" != _owner(page):
            raise Broken(OTHER_ACCOUNT, "the answer is about another account")
        readings = [read(found.note), *(read(entry.value) for entry in found.fields or ())]
        names = [None, *(entry.name for entry in found.fields or ())]
        lines = [
            f"{name}: {reading.text or ''}" if name else reading.text
            for name, reading in zip(names, readings, strict=True)
        ]
        description = "\n".join(line for line in lines if line) or None
        links = list(dict.fromkeys(link for reading in readings for link in reading.addresses)) or None
        who, name, avatar = handle(found.acct, page.service), known(found.display_name), known(found.avatar)
        sheets.profiles.add(
            Profile(
                record_id=page.account_id,
                content_sha256=digest(who, name, description, links, avatar),
                payload_sha256=sha256(item),
                state="unavailable" if found.suspended else "present",
                state_basis="account: suspended" if found.suspended else "account",
                handle=who,
                name=name,
                description=description,
                url=known(found.url),
                links=links,
                avatar_url=avatar,
            )
        )
        return None

    sheets.whole(answer, page)


CALLS: Mapping[str, Callable[[ArchivedPage, Sheets], None]] = {
    "account": _profile,
    "account_statuses": _statuses,
    "status_history": _history,
    "status_context": _context,
    "confirm_status": _direct,
    "missing_status": _missing,
    "author": _author,
    "blocks": moderation.accounts("block"),
    "mutes": moderation.accounts("mute"),
    "domain_blocks": moderation.domains,
    "filters": moderation.filters,
    "confirm_relationship": moderation.relationship,
    "confirm_domain_block": moderation.one_domain,
    "confirm_filter": moderation.one_filter,
}
ANSWERS = frozenset({"account", "author", "confirm_status", "missing_status", "confirm_filter"})
"""Calls of which a refusal says something."""
