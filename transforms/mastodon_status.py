"""A Mastodon status, and a version of one from its edit history: shapes and columns.

Both must give the same ``content_sha256`` for the same content. A version of the history names neither visibility, language nor what it
answers (none of which but the language can be edited), so here the hash covers text, content warning, files and the links of the
text.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from transforms.markup import read
from transforms.observations import EDIT_HISTORY
from transforms.quarantine import NATIVE_ID, Broken
from transforms.rows import Attachment, Content, Counts
from transforms.text import digest, folded, known, moment

Count = Annotated[int, msgspec.Meta(le=2**63 - 1, ge=-(2**63))]
Number = int | str
"""An id; a number on servers of 2017."""
PUBLIC = frozenset({"public", "unlisted"})


class Account(msgspec.Struct, gc=False):
    """Who wrote a status."""

    id: Number | None = None
    acct: str | None = None
    display_name: str | None = None
    url: str | None = None


class File(msgspec.Struct, gc=False):
    """An attachment."""

    id: Number
    type: str | None = None
    url: str | None = None
    remote_url: str | None = None
    description: str | None = None


class Named(msgspec.Struct, gc=False):
    """A mention or a hashtag."""

    acct: str | None = None
    name: str | None = None


class Option(msgspec.Struct, gc=False):
    """A choice of a poll."""

    title: str | None = None


class Poll(msgspec.Struct, gc=False):
    """A poll; its choices are part of the text."""

    options: list[Option] | None = None


class Linked(msgspec.Struct, gc=False):
    """A status that another one shows: boosted or quoted."""

    uri: str | None = None
    url: str | None = None
    account: Account | None = None

    @property
    def address(self) -> str | None:
        """Where it can be read."""
        return self.url or self.uri


class Quote(msgspec.Struct, gc=False):
    """A quote: without its status once revoked, or while not accepted."""

    state: str | None = None
    quoted_status: Linked | None = None


class Status(msgspec.Struct, gc=False):
    """A status."""

    id: Number
    account: Account
    content: str | None = None
    spoiler_text: str | None = None
    created_at: str | None = None
    edited_at: str | None = None
    in_reply_to_id: Number | None = None
    in_reply_to_account_id: Number | None = None
    """Stays when the status that is answered was deleted, while ``in_reply_to_id`` does not."""
    visibility: str | None = None
    language: str | None = None
    url: str | None = None
    uri: str | None = None
    reblog: Linked | None = None
    quote: Quote | None = None
    media_attachments: list[File] | None = None
    mentions: list[Named] | None = None
    tags: list[Named] | None = None
    poll: Poll | None = None
    favourites_count: Count | None = None
    reblogs_count: Count | None = None
    replies_count: Count | None = None
    quotes_count: Count | None = None


class Version(msgspec.Struct, gc=False):
    """A version of a status in its edit history."""

    created_at: str
    account: Account | None = None
    content: str | None = None
    spoiler_text: str | None = None
    media_attachments: list[File] | None = None
    poll: Poll | None = None


def account_id(account: Account | None, service: str) -> str | None:
    """``host/id``."""
    return f"{service}/{account.id}" if account and account.id is not None else None


def handle(acct: str | None, service: str) -> str | None:
    """``user@host``, also for users of the server itself, which it calls just ``user``."""
    if not acct:
        return None
    return acct if "@" in acct else f"{acct}@{service}"


def counts(status: Status, record_id: str) -> Counts:
    """What is counted of a status."""
    return Counts(
        record_id=record_id,
        likes=status.favourites_count,
        shares=status.reblogs_count,
        replies=status.replies_count,
        quotes=status.quotes_count,
    )


def from_status(found: Status, *, service: str, owner: str, payload: str, basis: str, root: str | None) -> Content:
    """A status as it is now. ``owner`` is the native id of the City's account, ``root`` the record that begins the thread."""
    content = _content(found, f"{service}/{_number(found.id)}", service, payload)
    author = account_id(found.account, service)
    content.state = "present" if found.visibility is None or found.visibility in PUBLIC else "hidden"
    content.state_basis = basis
    content.published_at = moment(found.created_at)
    content.platform_edited_at = moment(found.edited_at)
    content.author_is_account = author == owner
    content.lang = known(found.language)
    content.parent_id = None if found.in_reply_to_id is None else f"mastodon:{service}/{found.in_reply_to_id}"
    content.root_id = root
    content.url = known(found.url) or known(found.uri)
    content.links = _links(found, content.links)
    content.mentions = _mentions(found, service)
    content.hashtags = [tag.name for tag in found.tags or () if tag.name] or None
    content.source_visibility = known(found.visibility)
    return content


def from_version(found: Version, *, native_id: str, service: str, owner: str, payload: str) -> Content:
    """A version of a status as the server tells it afterwards; its times are for who knows its place in the history."""
    content = _content(found, native_id, service, payload)
    content.state_basis = EDIT_HISTORY
    content.author_is_account = content.author_id == owner if content.author_id else None
    return content


def _content(found: Status | Version, native_id: str, service: str, payload: str) -> Content:
    reading = read(found.content)
    text = _with_poll(reading.text, found.poll)
    title = known(found.spoiler_text)
    files = _files(found.media_attachments, service)
    marked = [(file.media_id, file.kind, file.alt) for file in files] if files else None
    links = reading.links
    boosted = found.reblog.address if isinstance(found, Status) and found.reblog else None
    return Content(
        record_id=f"mastodon:{native_id}",
        content_sha256=digest(text, title, marked, links, boosted),
        payload_sha256=payload,
        author_id=account_id(found.account, service),
        author_handle=handle(found.account.acct, service) if found.account else None,
        author_name=known(found.account.display_name) if found.account else None,
        title=title,
        text=text,
        text_folded=folded(text),
        links=links,
        attachments=files,
    )


def _number(number: Number) -> str:
    if number == "" or "/" in str(number):
        raise Broken(NATIVE_ID, "not an id")
    return str(number)


def _with_poll(text: str | None, poll: Poll | None) -> str | None:
    if poll is None or not poll.options:
        return text
    choices = [f"- {option.title}" for option in poll.options if option.title]
    return "\n".join([*([text] if text else []), *choices]) or None


def _links(found: Status, links: list[str] | None) -> list[str] | None:
    """Those of the text, and the status boosted or quoted."""
    quoted = found.quote.quoted_status if found.quote else None
    shown = [linked.address for linked in (found.reblog, quoted) if linked and linked.address]
    return list(dict.fromkeys([*shown, *(links or ())])) or None


def _mentions(found: Status, service: str) -> list[str] | None:
    boosted = found.reblog.account if found.reblog else None
    accounts = [boosted.acct if boosted else None, *(mention.acct for mention in found.mentions or ())]
    return list(dict.fromkeys(name for name in (handle(acct, service) for acct in accounts) if name)) or None


_KINDS = {"image": "image", "gifv": "video", "video": "video", "audio": "audio"}


def _files(files: list[File] | None, service: str) -> list[Attachment] | None:
    return [
        Attachment(
            f"mastodon:{service}/media/{file.id}",
            _KINDS.get(file.type or "", "file"),
            file.url or file.remote_url,
            known(file.description),
        )
        for file in files or ()
    ] or None
