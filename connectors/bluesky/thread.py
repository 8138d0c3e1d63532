"""A thread as the AppView shows it, laid flat.

The tree may be hundreds of replies deep and is walked without recursion. Where the server's depth ends, a reply comes without its
``replies`` and with a count above zero: such a reply is ``cut`` and must be asked about itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from connectors.bluesky.uri import AtUri


@dataclass(frozen=True, slots=True)
class Reply:
    """A post in a thread, the one it begins with included."""

    uri: AtUri
    parent: str | None
    """at-URI of what it answers; ``None`` where the thread begins."""
    counted: int
    """How many direct replies the platform counts."""
    cut: bool
    """Whether its replies were left off."""
    version: str = ""
    """``cid`` of the content shown."""


@dataclass(slots=True)
class Thread:
    """What one answer shows."""

    replies: list[Reply] = field(default_factory=list)
    withheld: list[AtUri] = field(default_factory=list)
    """Replies named but not shown, since their author and the one answered block each other."""
    skipped: dict[str, int] = field(default_factory=dict)


class NotAThreadError(Exception):
    """The answer has not the shape of a thread."""


def thread_in(answer: Any) -> Thread:  # noqa: ANN401 - any JSON value
    """The thread in an answer of ``app.bsky.feed.getPostThread``. Raises :class:`NotAThreadError`."""
    top = answer.get("thread") if isinstance(answer, dict) else None
    if not isinstance(top, dict):
        msg = "it holds no thread"
        raise NotAThreadError(msg)
    thread = Thread()
    waiting = [top]
    while waiting:
        node = waiting.pop()
        waiting.extend(reversed(_take(thread, node)))
    return thread


def _take(thread: Thread, node: dict[str, Any]) -> list[dict[str, Any]]:
    """Add one node to the thread; its children come back."""
    kind = str(node.get("$type", "")).rpartition("#")[2]
    if kind in ("blockedPost", "notFoundPost"):
        _skip(thread, "blocked_post" if kind == "blockedPost" else "not_found_post")
        uri = AtUri.parse(node.get("uri"))
        if kind == "blockedPost" and uri:
            thread.withheld.append(uri)
        return []
    view = node.get("post")
    reply = reply_in(view) if isinstance(view, dict) else None
    if reply is None:
        _skip(thread, "unknown_node")
        return []
    children = node.get("replies")
    shown = [child for child in children if isinstance(child, dict)] if isinstance(children, list) else []
    cut = not children and reply.counted > 0
    thread.replies.append(Reply(reply.uri, reply.parent, reply.counted, cut, reply.version))
    return shown


def reply_in(view: dict[str, Any]) -> Reply | None:
    """A ``postView`` (``app.bsky.feed.defs``) as a reply; ``None`` where it has no address."""
    uri = AtUri.parse(view.get("uri"))
    if uri is None:
        return None
    counted = view.get("replyCount")
    version = view.get("cid")
    return Reply(
        uri=uri,
        parent=parent_and_root(view.get("record"))[0],
        counted=counted if isinstance(counted, int) else 0,
        cut=False,
        version=version if isinstance(version, str) else "",
    )


def parent_and_root(record: Any) -> tuple[str | None, str | None]:  # noqa: ANN401 - any JSON value
    """at-URIs of what a post record answers and of the post that begins its thread; ``None`` twice for no reply."""
    return answered(record.get("reply") if isinstance(record, dict) else None)


def answered(reply: Any) -> tuple[str | None, str | None]:  # noqa: ANN401 - any JSON value
    """The same from a record's ``reply``."""
    if not isinstance(reply, dict):
        return None, None
    parent, root = (_address(reply.get(name)) for name in ("parent", "root"))
    return parent, root


def _address(reference: Any) -> str | None:  # noqa: ANN401 - any JSON value
    uri = AtUri.parse(reference.get("uri")) if isinstance(reference, dict) else None
    return str(uri) if uri else None


def _skip(thread: Thread, reason: str) -> None:
    thread.skipped[reason] = thread.skipped.get(reason, 0) + 1
