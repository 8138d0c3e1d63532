"""WordPress: from archived answers to rows. What each call asks and what its answers mean stands in ``connectors/wordpress/platform.py``.

Core has no list of moderation actions: each post says whether its comments are closed, each comment whether it was held, marked as spam or put
in the trash. So every look at one says what is in force about it, and what is not: that bounds in time when it began and ended.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from transforms.listing import listed
from transforms.markup import plain
from transforms.page import ArchivedPage
from transforms.quarantine import ITEM_SHAPE, Broken
from transforms.rows import Action, Content, Mark, Profile
from transforms.sheets import Item, Outcome, Sheets, sha256
from transforms.text import digest, known
from transforms.wordpress_content import Comment, Post, from_comment, from_post

NOT_THERE = frozenset({"rest_post_invalid_id", "rest_comment_invalid_id"})
"""Codes of a direct read: no such thing."""
_CLOSED = frozenset({401, 403})
_OK = 200

_post = msgspec.json.Decoder(Post).decode
_comment = msgspec.json.Decoder(Comment).decode

_Show = Callable[[ArchivedPage, Sheets, Item], None]


def _site_of(page: ArchivedPage) -> str:
    return page.account_id.removeprefix("wordpress:")


def _show_post(page: ArchivedPage, sheets: Sheets, item: Item) -> None:
    found = _post(item)
    post = from_post(found, site=_site_of(page), payload=sha256(item), basis=page.call)
    sheets.posts.add(post)
    if found.comment_status in ("open", "closed"):
        action = "comments_closed" if found.comment_status == "closed" else None
        basis = f"{page.call}: comment_status {found.comment_status}"
        _show_act(sheets, post, f"{post.record_id}/comments", action, basis)


def _show_comment(page: ArchivedPage, sheets: Sheets, item: Item) -> None:
    found = _comment(item)
    comment = from_comment(found, site=_site_of(page), payload=sha256(item), basis=page.call)
    sheets.comments.add(comment)
    if found.status:
        action = found.status if comment.state == "hidden" else None
        _show_act(sheets, comment, f"{comment.record_id}/status", action, f"{page.call}: status {found.status}")


def _show_act(sheets: Sheets, subject: Content, record_id: str, action: str | None, basis: str) -> None:
    """What the item itself says was done to it; without ``action``: that nothing is in force."""
    if action is None:
        mark = Mark(
            record_id=record_id,
            kind="moderation_action",
            state="deleted",
            state_basis=basis,
            payload_sha256=subject.payload_sha256,
        )
        sheets.marks.add(mark)
        return
    sheets.moderation_actions.add(
        Action(
            record_id=record_id,
            content_sha256=digest(action, subject.record_id, None),
            payload_sha256=subject.payload_sha256,
            action=action,
            state_basis=basis,
            subject_id=subject.record_id,
        )
    )


def _listing(show: _Show) -> Callable[[ArchivedPage, Sheets], None]:
    def read(page: ArchivedPage, sheets: Sheets) -> None:
        sheets.each(listed(page.content), lambda item: show(page, sheets, item))

    return read


class _Refusal(msgspec.Struct):
    """A ``WP_Error``."""

    code: str | None = None


_refusal = msgspec.json.Decoder(_Refusal).decode


def _direct(show: _Show, kind: str) -> Callable[[ArchivedPage, Sheets], None]:
    """A direct read: there, deleted for good, or there but not for the public."""

    def read(page: ArchivedPage, sheets: Sheets) -> None:
        def answer(item: Item) -> Outcome:
            if page.status == _OK:
                show(page, sheets, item)
                return None
            return _refused(page, sheets, item, kind)

        sheets.whole(answer, page)

    return read


def _refused(page: ArchivedPage, sheets: Sheets, item: Item, kind: str) -> Outcome:
    code = _refusal(item).code or ""
    basis = f"{page.call}: {page.status} {code}"
    if code in NOT_THERE:
        state = "deleted"
    elif page.status in _CLOSED and code.startswith(("rest_forbidden", "rest_cannot_")) and code not in _NO_ACCESS:
        state, basis = "unavailable", f"{basis} (made private, held or in the trash)"
    else:
        return f"answer_{page.status}"
    sheets.marks.add(
        Mark(
            record_id=f"wordpress:{page.subject}",
            kind=kind,
            state=state,
            state_basis=basis,
            payload_sha256=sha256(item),
        )
    )
    return None


_NO_ACCESS = frozenset({"rest_cannot_access"})
"""Codes of an API that is closed as a whole: they say nothing of one thing."""


class _Site(msgspec.Struct):
    """The root of the API."""

    name: str | None = None
    description: str | None = None
    url: str | None = None
    home: str | None = None
    site_icon_url: str | None = None


_site_from = msgspec.json.Decoder(_Site).decode


def _site(page: ArchivedPage, sheets: Sheets) -> None:
    def answer(item: Item) -> None:
        found = _site_from(item)
        name, description, icon = plain(found.name), plain(found.description), known(found.site_icon_url)
        address = known(found.home) or known(found.url)
        if name is None and address is None:
            raise Broken(ITEM_SHAPE, "neither name nor address of a site")
        sheets.profiles.add(
            Profile(
                record_id=page.account_id,
                content_sha256=digest(name, description, address, icon),
                payload_sha256=sha256(item),
                state_basis="site",
                handle=_site_of(page),
                name=name,
                description=description,
                url=address,
                avatar_url=icon,
            )
        )

    sheets.whole(answer, page)


CALLS: Mapping[str, Callable[[ArchivedPage, Sheets], None]] = {
    "site": _site,
    "posts": _listing(_show_post),
    "comments": _listing(_show_comment),
    "confirm_post": _direct(_show_post, "post"),
    "confirm_comment": _direct(_show_comment, "comment"),
}
ANSWERS = frozenset({"confirm_post", "confirm_comment"})
"""Calls of which a refusal says something."""
