"""The news desk of a WordPress site: what it does goes over HTTP, and what truly came of it is read from the site's own database."""

from __future__ import annotations

import html
import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import requests
from completeness.archive import acted
from completeness.life import Span, Truth
from wordpress_site import HOST, Site

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT_ID = f"wordpress:{HOST}"
HELD, CLOSED = "comment held back", "comments closed"
"""Kinds of moderation: in WordPress, the status of a comment and a switch of a post."""
_STATUS = {"1": "approved", "0": "hold"}
_PUBLIC = frozenset({"publish", "approved"})
_POSTS = """
SELECT ID, post_status, post_content, comment_status FROM wp_posts
WHERE post_type = 'post' AND post_status IN ('publish', 'future', 'draft', 'pending', 'private', 'trash')
"""
_PICTURES = """
SELECT meta.post_id, meta.meta_value FROM wp_postmeta AS meta
JOIN wp_posts AS picture ON picture.ID = meta.meta_value AND picture.post_type = 'attachment'
WHERE meta.meta_key = '_thumbnail_id'
"""
_COMMENTS = "SELECT comment_ID, comment_approved, comment_content, comment_post_ID FROM wp_comments"
_TAG = re.compile(r"<[^<>]+>")
_NUMBERED = re.compile(r"/media/\d+$")


@dataclass(frozen=True, slots=True)
class Thing:
    """A post or comment as it lies in the database."""

    kind: str
    status: str
    content: str
    closed: bool = False

    @property
    def state(self) -> str:
        """What the public sees of it."""
        return "present" if self.status in _PUBLIC else "hidden"


@dataclass(slots=True)
class Desk:
    """The site's people. Whatever they do is noted in the truth, between the moment before and the one after."""

    site: Site
    truth: Truth
    _known: dict[str, Thing] = field(default_factory=dict)

    @contextmanager
    def acting(self) -> Iterator[None]:
        """What is done inside is compared with the database before."""
        begin = datetime.now(UTC)
        yield
        self._note(Span(begin, datetime.now(UTC)))

    # --- what is done

    def post(self, number: str | int, **fields: Any) -> None:
        """Change a post."""
        self._send("POST", f"posts/{number}", fields)

    def publish(self, text: str) -> None:
        """Write a post."""
        self._send("POST", "posts", {"title": text, "content": f"<p>{text}</p>", "status": "publish"})

    def trash_post(self, number: str | int) -> None:
        """Put a post in the trash."""
        self._send("DELETE", f"posts/{number}")

    def delete_post(self, number: str | int) -> None:
        """Delete a post for good."""
        self._send("DELETE", f"posts/{number}?force=true")

    def comment(self, number: int, **fields: Any) -> None:
        """Change a comment."""
        self._send("POST", f"comments/{number}", fields)

    def answer(self, post: str | int, text: str) -> None:
        """Write a comment."""
        body = {"post": int(post), "content": text, "author_name": "Late Reader", "author_email": "late@example.test"}
        self._send("POST", "comments", body)

    def delete_comment(self, number: int) -> None:
        """Delete a comment for good."""
        self._send("DELETE", f"comments/{number}?force=true")

    def _send(self, method: str, path: str, body: dict[str, Any] | None = None) -> None:
        login = ("admin", self.site.users["admin"]["app_password"])
        address = f"{self.site.url}/wp-json/wp/v2/{path}"
        requests.request(method, address, json=body, auth=login, timeout=60).raise_for_status()

    # --- what came of it

    def _note(self, span: Span) -> None:
        now = self._things()
        for native_id, thing in now.items():
            before = self._known.get(native_id)
            if before is None:
                self.truth.begin(_id(native_id), thing.kind, ACCOUNT_ID, span, content=thing.content, state=thing.state)
            else:
                self.truth.lives[_id(native_id)].became(span, state=thing.state, content=thing.content)
            if thing.kind == "comment":
                self._note_action(f"{native_id}/status", HELD, thing.status, thing.state == "hidden", span)
            else:
                self._note_action(f"{native_id}/comments", CLOSED, "comments_closed", thing.closed, span)
        for native_id in self._known.keys() - now.keys():
            self.truth.lives[_id(native_id)].became(span, state="deleted", cause="removed_by_city")
        self._known = now

    def _note_action(self, native_id: str, kind: str, action: str, is_in_force: bool, span: Span) -> None:  # noqa: FBT001
        record_id, content = _id(native_id), acted(action, _id(native_id.rpartition("/")[0]), None)
        life = self.truth.lives.get(record_id)
        if life and is_in_force:
            life.became(span, state="present", content=content)
        elif life:
            life.became(span, state="deleted")
        elif is_in_force:
            self.truth.begin(record_id, kind, ACCOUNT_ID, span, content=content)

    def _things(self) -> dict[str, Thing]:
        database = self.site.root / "sqlite-db" / "wp.sqlite"
        found: dict[str, Thing] = {}
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            pictures = {post: [f"{ACCOUNT_ID}/media/{number}"] for post, number in connection.execute(_PICTURES)}
            for number, status, content, comments in connection.execute(_POSTS):
                text = compared(content, status, pictures.get(number, []))
                found[f"{HOST}/post/{number}"] = Thing("post", status, text, comments == "closed")
            for number, approved, content, _ in connection.execute(_COMMENTS):
                status = _STATUS.get(approved, approved)
                found[f"{HOST}/comment/{number}"] = Thing("comment", status, compared(content, status))
        return found


def compared(text: str, status: str, files: Sequence[str] = ()) -> str:
    """What of a text is compared: its letters and digits. WordPress sets quotes, dashes and entities anew each time it shows one.

    Of the files, those with a number of their own: a post's picture. Others are part of the text.
    """
    bare = html.unescape(html.unescape(_TAG.sub(" ", text)))
    pictures = [file for file in files if _NUMBERED.search(file)]
    return " ".join(["".join(sign for sign in bare if sign.isalnum()), f"[{status}]", *pictures])


def kind_of(record_id: str, action: str) -> str:
    """The kind of a moderation record."""
    return {"status": HELD, "comments": CLOSED}.get(record_id.rpartition("/")[2], action)


def _id(native_id: str) -> str:
    return f"wordpress:{native_id}"
