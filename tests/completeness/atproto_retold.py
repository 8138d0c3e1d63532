"""What the shared scripts did on the AT Protocol stack, retold from the file of truths they write."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection
from typing import Any

from completeness.atproto_people import GATE, People
from completeness.life import Beyond, Span

Action = dict[str, Any]
POST_GATE = "app.bsky.feed.postgate"

_BEYOND = {
    "mute": "shows to nobody but the account that mutes, signed in",
    "report": "goes to the platform's moderators only",
    "ozone:modEventAcknowledge": "inner note of the platform's moderators",
    "ozone:modEventComment": "inner note of the platform's moderators",
    "ozone:modEventEscalate": "inner note of the platform's moderators",
    "ozone:modEventTag": "inner note of the platform's moderators",
    "handleChange": "of a commenter, whose profile is not followed; the next version of what they wrote names the new handle",
    "pdsAdminTakedown": "a host's own removal of a record: its server then answers as for a deleted one, and tells nobody",
}
"""Kind in the action log -> why it is not counted: mostly, no look can show it."""
_LABELS = ((("!warn", "rude"), ()), ((), ("rude",)))
"""What each label event of the script gives and takes back: its log does not name them."""


def retell(people: People, captured: Collection[str], *, seed: Span, mutate: Span) -> None:
    """Bring the truth up to date with what ``seed`` and ``mutate`` did. ``captured``: accounts whose posts and threads count."""
    file = people.file
    late = file["violating"]
    for uri, post in file["posts"].items():
        if uri != late:
            _written(people, captured, uri, post)
    people.happened(seed)
    _Retelling(people, captured, late).all()
    people.happened(mutate)


def _written(people: People, captured: Collection[str], uri: str, post: Action) -> None:
    first = post["versions"][0].get("text", post["text"])
    root = (post["root"] or uri).split("/")[2]
    account = next((did for did in (root, post["author"]) if did in captured), None)
    if account and (post["root"] or post["author"] == account):
        people.written(uri, "comment" if post["root"] else "post", account, first)


class _Retelling:
    """The action log, from its first line to its last."""

    def __init__(self, people: People, captured: Collection[str], late: str) -> None:
        self._people = people
        self._file = people.file
        self._captured = captured
        self._late = late
        self._next_version: dict[str, int] = defaultdict(lambda: 1)
        self._blocks: dict[str, str] = {}
        self._labels = iter(_LABELS)
        self._beyond: Counter[str] = Counter()
        self._kinds: dict[str, Callable[[Action], None]] = {
            "edit": lambda one: people.edited(one["target"], self._version(one["target"])),
            "recreate": lambda one: people.made_again(one["target"], self._version(one["target"])),
            "delete": self._delete,
            "hideReply": lambda one: self._each(one["targets"], self._hide),
            "unhideReply": lambda one: self._each(one["targets"], people.unhidden),
            "closeReplies": self._close,
            "replyAfterClose": lambda _: _written(people, captured, late, self._file["posts"][late]),
            "detachQuote": self._detach,
            "block": self._block,
            "unblock": lambda one: people.undone(self._blocks[one["target"]]),
            "listBlock": self._block_list,
            "ozone:modEventLabel": self._label,
            "ozone:modEventTakedown": lambda one: self._take_down(one, reverse=False),
            "ozone:modEventReverseTakedown": lambda one: self._take_down(one, reverse=True),
            "accountDelete": lambda one: self._leave(one, "deleted"),
            "accountDeactivate": lambda one: self._leave(one, "unavailable"),
        }

    def all(self) -> None:
        """Note every action, or why it cannot be found."""
        for action in self._file["moderation"]:
            assert action["ok"], action
            kind = action["kind"]
            if kind in _BEYOND:
                self._beyond[kind] += 1
            else:
                self._kinds[kind](action)
        self._people.truth.beyond += [
            Beyond(f"{kind} ({times})", _BEYOND[kind]) for kind, times in sorted(self._beyond.items())
        ]

    @property
    def _page(self) -> str:
        return self._people.did("newsdesk.test")

    def _version(self, uri: str) -> str:
        number = self._next_version[uri]
        self._next_version[uri] += 1
        return str(self._file["posts"][uri]["versions"][number]["text"])

    def _delete(self, action: Action) -> None:
        uri = action["target"]
        self._people.deleted(uri, by_city=self._file["posts"][uri]["author"] in self._captured)

    def _hide(self, uri: str) -> None:
        self._people.was_hidden(uri, self._page)

    def _close(self, action: Action) -> None:
        self._people.gated(_beside(action["target"], GATE), "reply_gate", action["target"], "nobody")

    def _detach(self, action: Action) -> None:
        post, quote = self._file["pagePosts"][-1]["uri"], action["target"]
        self._people.gated(_beside(post, POST_GATE), "detach_quote", post, f"detached {quote}")

    def _block(self, action: Action) -> None:
        uri, target = action["result"]["uri"], action["target"]
        self._blocks[target] = uri
        self._people.blocked(uri, target)

    def _block_list(self, action: Action) -> None:
        blocked = action["result"]["list"]
        self._people.gated(action["result"]["listblock"], "block_list", blocked, None)
        members = self._people.stack.ask(
            "com.atproto.repo.listRecords", repo=self._page, collection="app.bsky.graph.listitem"
        )
        for member in members["records"]:
            self._people.gated(member["uri"], "block", action["target"], f"member of {blocked}")

    def _label(self, action: Action) -> None:
        given, taken_back = next(self._labels)
        for value in (*given, *taken_back):
            self._people.labeled(action["subject"]["uri"], value, reverse=value in taken_back)

    def _take_down(self, action: Action, *, reverse: bool) -> None:
        subject = action["subject"]
        if "uri" in subject:
            self._people.was_taken_down(subject["uri"], reverse=reverse)
        elif reverse:
            self._people.came_back(self._handle(subject["did"]))
        else:
            self._people.went(self._handle(subject["did"]), "author_suspended", "unavailable")

    def _leave(self, action: Action, state: str) -> None:
        self._people.went(self._handle(action["target"]), "author_gone", state)

    def _handle(self, did: str) -> str:
        return next(name for name, account in self._file["accounts"].items() if account["did"] == did)

    @staticmethod
    def _each(uris: list[str], note: Callable[[str], None]) -> None:
        for uri in uris:
            note(uri)


def _beside(post: str, collection: str) -> str:
    """The gate of a post has its key."""
    _, _, repo, _, key = post.split("/")
    return f"at://{repo}/{collection}/{key}"
