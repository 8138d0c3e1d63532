"""Whom and what an account keeps away on Mastodon: blocks, mutes, blocked servers, filters.

A moderation action has no id of its own there: it is ``{host}/{account id}/{block|mute|domain_block|filter}/{id or domain}``. Mastodon tells
neither when one began nor why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import msgspec

from transforms.listing import listed
from transforms.mastodon_status import Number
from transforms.quarantine import ITEM_SHAPE, NATIVE_ID, Broken
from transforms.rows import Action, Mark
from transforms.sheets import Item, Outcome, Sheets, sha256
from transforms.text import digest

if TYPE_CHECKING:
    from collections.abc import Callable

    from transforms.page import ArchivedPage


_OK = 200
_GONE = frozenset({404, 410})


class Named(msgspec.Struct):
    """An account; of it only the id is read."""

    id: Number


class Keyword(msgspec.Struct):
    """A word of a filter."""

    keyword: str
    whole_word: bool | None = None

    @property
    def words(self) -> str:
        """The word, and whether only the whole word counts."""
        return f"{self.keyword} (whole word)" if self.whole_word else self.keyword


class Filter(msgspec.Struct):
    """A filter with its words (v2), or one word (v1)."""

    id: Number
    title: str | None = None
    phrase: str | None = None
    context: list[str] | None = None
    filter_action: str | None = None
    expires_at: str | None = None
    keywords: list[Keyword] | None = None


class Relationship(msgspec.Struct):
    """What the account does about another."""

    id: Number
    blocking: bool = False
    muting: bool = False


_named = msgspec.json.Decoder(Named).decode
_filter = msgspec.json.Decoder(Filter).decode
_domain = msgspec.json.Decoder(str).decode
_domains = msgspec.json.Decoder(list[str]).decode
_relationship = msgspec.json.Decoder(Relationship).decode


def _action(
    page: ArchivedPage, word: str, name: str, item: Item, *, subject: str | None = None, reason: str | None = None
) -> Action:
    if not name or "/" in name:
        raise Broken(NATIVE_ID, "not an id")
    return Action(
        record_id=f"{page.account_id}/{word}/{name}",
        content_sha256=digest(word, subject, reason),
        payload_sha256=sha256(item),
        action=word,
        state_basis=page.call,
        subject_id=subject,
        actor_id=page.account_id.removeprefix("mastodon:"),
        reason=reason,
    )


def accounts(word: str) -> Callable[[ArchivedPage, Sheets], None]:
    """A reader of a list of accounts that are blocked or muted."""

    def read(page: ArchivedPage, sheets: Sheets) -> None:
        def one(item: Item) -> None:
            number = str(_named(item).id)
            sheets.moderation_actions.add(
                _action(page, word, number, item, subject=f"mastodon:{page.service}/{number}")
            )

        sheets.each(listed(page.content), one)

    return read


def domains(page: ArchivedPage, sheets: Sheets) -> None:
    """Servers the account blocks."""

    def one(item: Item) -> None:
        domain = _domain(item)
        sheets.moderation_actions.add(_action(page, "domain_block", domain, item, subject=f"mastodon:{domain}"))

    sheets.each(listed(page.content), one)


def filters(page: ArchivedPage, sheets: Sheets) -> None:
    """Filters; what they filter is the reason, so that a list of words that changed is a new version."""
    sheets.each(listed(page.content), lambda item: _show_filter(page, sheets, item))


def _show_filter(page: ArchivedPage, sheets: Sheets, item: Item) -> None:
    found = _filter(item)
    words = [word.words for word in found.keywords or ()] or ([found.phrase] if found.phrase else [])
    told = [
        found.title,
        f"words: {', '.join(words)}" if words else None,
        f"where: {', '.join(found.context)}" if found.context else None,
        f"then: {found.filter_action}" if found.filter_action else None,
        f"until: {found.expires_at}" if found.expires_at else None,
    ]
    reason = "; ".join(part for part in told if part) or None
    sheets.moderation_actions.add(_action(page, "filter", str(found.id), item, reason=reason))


def one_filter(page: ArchivedPage, sheets: Sheets) -> None:
    """A filter read by its number: there, or deleted."""

    def answer(item: Item) -> Outcome:
        if page.status == _OK:
            _show_filter(page, sheets, item)
            return None
        if page.status not in _GONE:
            return f"answer_{page.status}"
        sheets.marks.add(_lifted(page, item, f"confirm_filter: {page.status}"))
        return None

    sheets.whole(answer, page)


def one_domain(page: ArchivedPage, sheets: Sheets) -> None:
    """The list of blocked servers, read for one of them. A list as long as was asked for may go on, and says nothing of what is not on it."""
    limit = int(parse_qs(urlsplit(page.url).query).get("limit", ["0"])[0])
    domain = page.subject.rpartition("/")[2]

    def answer(item: Item) -> Outcome:
        blocked = _domains(item)
        if domain in blocked:
            sheets.moderation_actions.add(_action(page, "domain_block", domain, item, subject=f"mastodon:{domain}"))
        elif len(blocked) >= limit:
            return "list_goes_on"
        else:
            sheets.marks.add(_lifted(page, item, "confirm_domain_block: not on the list"))
        return None

    sheets.whole(answer, page)


def relationship(page: ArchivedPage, sheets: Sheets) -> None:
    """Whether a block or mute is still in force."""
    kept, _, asked = page.subject.rpartition("/")
    word = kept.rpartition("/")[2]

    def one(item: Item) -> Outcome:
        found = _relationship(item)
        if str(found.id) != asked or word not in ("block", "mute"):
            raise Broken(ITEM_SHAPE, "not what was asked for")
        if found.blocking if word == "block" else found.muting:
            sheets.moderation_actions.add(_action(page, word, asked, item, subject=f"mastodon:{page.service}/{asked}"))
        else:
            sheets.marks.add(_lifted(page, item, f"confirm_relationship: no {word}"))
        return None

    sheets.each(listed(page.content), one)


def _lifted(page: ArchivedPage, item: Item, basis: str) -> Mark:
    return Mark(
        record_id=f"mastodon:{page.subject}",
        kind="moderation_action",
        state="deleted",
        state_basis=basis,
        payload_sha256=sha256(item),
    )
