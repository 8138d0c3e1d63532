"""A WordPress post or page, and a comment: shapes and columns.

Text and title are read from what is rendered, which every reader gets, so that a capture with a credential and one without
give the same ``content_sha256``. Times are the ``_gmt`` ones; ``date`` is local and says no zone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from transforms.markup import Picture, Reading, plain, read
from transforms.rows import Attachment, Content
from transforms.text import digest, folded, known, moment

if TYPE_CHECKING:
    from collections.abc import Sequence

PUBLIC_POST = "publish"
PUBLIC_COMMENT = frozenset({"approved", "approve", "1"})
_MEDIA_ID = re.compile(r"\bwp-image-(\d+)\b")


class Rendered(msgspec.Struct, gc=False):
    """A text in its forms; ``raw`` is only for editors, and not read."""

    rendered: str | None = None
    protected: bool | None = None


class Post(msgspec.Struct, gc=False):
    """A post or page."""

    id: int
    status: str | None = None
    date_gmt: str | None = None
    modified_gmt: str | None = None
    title: Rendered | None = None
    content: Rendered | None = None
    author: int | None = None
    parent: int | None = None
    featured_media: int | None = None
    link: str | None = None
    comment_status: str | None = None


class Comment(msgspec.Struct, gc=False):
    """A comment, pingback or trackback. Mail and network addresses are not read."""

    id: int
    post: int | None = None
    parent: int | None = None
    author: int | None = None
    author_name: str | None = None
    author_url: str | None = None
    status: str | None = None
    date_gmt: str | None = None
    content: Rendered | None = None
    link: str | None = None


def from_post(found: Post, *, site: str, payload: str, basis: str) -> Content:
    """A post is the account's own. What is not published, or only with a password, is hidden from the public."""
    protected = found.content is not None and found.content.protected is True
    status = known(found.status)
    visibility = "password" if protected and status in (None, PUBLIC_POST) else status
    hidden = protected or status not in (None, PUBLIC_POST)
    published, modified = moment(found.date_gmt), moment(found.modified_gmt)
    reading = read(found.content.rendered if found.content else None)
    files = _featured(found.featured_media, site) + [_file(picture, site) for picture in reading.pictures]
    content = _content(
        f"{site}/post/{found.id}",
        reading,
        title=plain(found.title.rendered if found.title else None),
        files=list({file.media_id: file for file in files}.values()),
        visibility=visibility,
        payload=payload,
        parent=None,
    )
    content.state = "hidden" if hidden else "present"
    content.state_basis = basis
    content.published_at = published
    content.platform_edited_at = modified if modified and published and modified > published else None
    content.author_id = _user(found.author, site)
    content.author_is_account = True
    content.url = known(found.link)
    return content


def from_comment(found: Comment, *, site: str, payload: str, basis: str) -> Content:
    """A comment of anyone, the site's own people included: the API does not tell them apart."""
    reading = read(found.content.rendered if found.content else None)
    if found.author_url:
        reading.addresses[found.author_url] = None
    root = f"wordpress:{site}/post/{found.post}" if found.post else None
    status = known(found.status)
    content = _content(
        f"{site}/comment/{found.id}",
        reading,
        title=None,
        files=[_file(picture, site) for picture in reading.pictures],
        visibility=status,
        payload=payload,
        parent=f"wordpress:{site}/comment/{found.parent}" if found.parent else root,
    )
    content.state = "present" if status is None or status in PUBLIC_COMMENT else "hidden"
    content.state_basis = basis
    content.published_at = moment(found.date_gmt)
    content.author_id = _user(found.author, site)
    content.author_name = plain(found.author_name)
    content.root_id = root
    content.url = known(found.link)
    return content


def _content(
    native_id: str,
    reading: Reading,
    *,
    title: str | None,
    files: Sequence[Attachment],
    visibility: str | None,
    payload: str,
    parent: str | None,
) -> Content:
    text, links = reading.text, reading.links
    marked = [(file.media_id, file.kind, file.alt) for file in files] or None
    return Content(
        record_id=f"wordpress:{native_id}",
        content_sha256=digest(text, title, marked, links, visibility),
        payload_sha256=payload,
        title=title,
        text=text,
        text_folded=folded(text),
        parent_id=parent,
        links=links,
        attachments=list(files) or None,
        source_visibility=visibility,
    )


def _user(number: int | None, site: str) -> str | None:
    """0 is nobody known to the site."""
    return f"{site}/user/{number}" if number else None


def _featured(number: int | None, site: str) -> list[Attachment]:
    return [Attachment(f"wordpress:{site}/media/{number}", "image")] if number else []


def _file(picture: Picture, site: str) -> Attachment:
    """By the number the editor leaves in its class, or by its address."""
    found = _MEDIA_ID.search(picture.classes)
    media_id = f"wordpress:{site}/media/{found[1]}" if found else f"wordpress:{picture.url}"
    return Attachment(media_id, picture.kind, picture.url, picture.alt)
