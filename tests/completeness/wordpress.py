"""WordPress: a real site, seeded, broken and moderated while it is archived."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

from completeness.archive import read
from completeness.compare import compare
from completeness.life import Beyond
from completeness.report import Outcome
from completeness.visits import NotAsPlanned, Once, Visits, installation
from completeness.wordpress_desk import Desk, compared, kind_of
from fault_proxy import FaultProxy, fault_proxy
from wordpress_site import HOST, Site, running_site

from connectors.contract import AccountRef

FULL: dict[str, int] = {}
"""The seeder's own size."""
FAST = {"POSTS": 16, "COMMENTS": 40}
"""The least that holds every kind of change."""
PASSING: tuple[dict[str, Any], ...] = (
    {"path": "/posts", "times": 1, "kind": "status", "status": 429, "headers": {"Retry-After": "1"}},
    {"path": "/posts", "skip": 1, "times": 1, "kind": "truncate", "bytes": 700},
    {"path": "/comments", "times": 1, "kind": "status", "status": 503, "headers": {"Retry-After": "1"}},
    {"path": "/comments", "skip": 2, "times": 1, "kind": "reset", "bytes": 700},
    {"path": "/comments", "skip": 4, "times": 1, "kind": "refuse"},
    {"path": "/comments", "skip": 6, "times": 1, "kind": "empty"},
)
"""Faults that pass when asked again: nothing of them is to be noticed."""
REFUSING = {"path": "/comments", "skip": 2, "kind": "status", "status": 429, "headers": {"Retry-After": "900"}}
BEYOND = (
    Beyond("a text or status that lived only between two looks", "a comment has no date of change and no history"),
    Beyond("the original text of an edited post", "revisions begin with the first edit and do not keep it"),
    Beyond("who edited, held or deleted, and exactly when", "the API names neither; the interval holds"),
    Beyond("a comment refused at once (flood, duplicate)", "it never enters the site"),
)
_BRIEF = {"post_untrash": "post_trash", "comment_approve": "comment_hold", "comment_unspam": "comment_spam"}
"""Actions of the shared script that undo one of its own before any look."""


def run(place: Path, *, fast: bool, tell: Callable[[str], None]) -> Outcome:
    """Seed, capture, moderate and capture again; then compare."""
    began = time.monotonic()
    with running_site(place) as site, fault_proxy(site.url) as proxy:
        login = {"USERNAME": "admin", "PASSWORD": site.users["admin"]["app_password"]}
        secrets = {f"ONRECORD_CREDENTIAL_NEWS_{name}": value for name, value in login.items()}
        with (
            patch.dict(os.environ, secrets),
            installation(place / "archive", {HOST: proxy.address}, tell) as visits,
        ):
            desk = Desk(site, visits.truth)
            _tell_the_story(desk, proxy, visits, tell, FAST if fast else FULL)
            held = read(visits.mart(), compared, kind_of)
            truth = visits.truth
            _check(desk, site.truth)
    seconds = int(time.monotonic() - began)
    result = compare(truth, held.rows, held.gaps)
    return Outcome("wordpress", result, [*BEYOND, *truth.beyond], held.quarantined, len(truth.looks), seconds)


def _tell_the_story(
    desk: Desk, proxy: FaultProxy, visits: Visits, tell: Callable[[str], None], size: dict[str, int]
) -> None:
    site = desk.site
    tell("seeding")
    with desk.acting():
        site.run("seed", **size)
    news = visits.register("news", AccountRef("wordpress", HOST, HOST, HOST), credential="news")

    tell("the first look, through faults that pass")
    proxy.order(*PASSING)
    visits.whole(news)
    proxy.order()

    tell("the site is stopped in the midst of a look, and stays away for the next")
    visits.broken(news, "unreachable", Once("comments", lambda: site.run("stop")))
    visits.broken(news, "unreachable")
    site.run("start")

    tell("mutating")
    with desk.acting():
        site.run("mutate")
    _note_brief(desk, site)
    visits.whole(news)  # goes on where it was cut off
    visits.whole(news)

    tell("more changes, one look after each round")
    posts, flat = list(site.truth["posts"]), site.truth["flat"]
    with desk.acting():
        _first_round(desk, posts, flat)
    visits.whole(news)
    with desk.acting():
        _second_round(desk, posts, flat)
    visits.whole(news)

    tell("changes in the midst of a look")
    visits.whole(news, during=Once("comments", lambda: _in_the_midst(desk, posts, flat)))

    tell("the site refuses for longer than a look waits")
    proxy.order(REFUSING)
    visits.broken(news, "rate_limited")
    proxy.order()
    visits.whole(news)
    visits.whole(news)


def _first_round(desk: Desk, posts: list[str], flat: list[int]) -> None:
    desk.post(posts[1], content="<p>a first correction</p>")
    desk.post(posts[2], status="private")
    desk.post(posts[5], status="publish")
    desk.trash_post(posts[0])
    desk.delete_post(posts[10])
    desk.post(posts[-1], comment_status="closed")
    desk.post(posts[-2], comment_status="open")
    desk.comment(flat[12], content="edited once")
    desk.comment(flat[13], status="hold")
    desk.comment(flat[14], status="spam")
    desk.comment(flat[15], status="trash")
    desk.comment(flat[6], status="spam")
    desk.delete_comment(flat[16])
    desk.answer(posts[-3], "a late answer")
    desk.publish("breaking: a new post")


def _second_round(desk: Desk, posts: list[str], flat: list[int]) -> None:
    desk.post(posts[1], content="<p>a second correction</p>")
    desk.post(posts[2], status="publish")
    desk.post(posts[0], status="publish")
    desk.post(posts[-1], comment_status="open")
    desk.comment(flat[12], content="edited twice")
    desk.comment(flat[13], status="approved")
    desk.comment(flat[14], status="approved")
    desk.comment(flat[15], status="approved")
    desk.comment(flat[6], status="approved")
    desk.comment(flat[9], status="hold")


def _in_the_midst(desk: Desk, posts: list[str], flat: list[int]) -> None:
    with desk.acting():
        desk.post(posts[3], content="<p>corrected while being read</p>")
        desk.delete_post(posts[11])
        desk.comment(flat[17], content="edited while being read")
        desk.comment(flat[18], status="hold")
        desk.delete_comment(flat[19])
        desk.answer(posts[-3], "written while being read")


def _note_brief(desk: Desk, site: Site) -> None:
    """What the shared script did and undid at once."""
    done = [action["kind"] for action in site.truth["actions"] if action["ok"]]
    desk.truth.beyond += [
        Beyond(f"{_BRIEF[kind]}, then {kind}", "both between two looks") for kind in done if kind in _BRIEF
    ]


def _check(desk: Desk, file: dict[str, Any]) -> None:
    """Everything the shared scripts wrote down was read from the database, too. Raises :class:`NotAsPlanned`."""
    named = [f"wordpress:{HOST}/post/{number}" for number in file["posts"]]
    named += [f"wordpress:{HOST}/comment/{number}" for number in file["comments"]]
    unknown = [record_id for record_id in named if record_id not in desk.truth.lives]
    gone = [number for number, one in file["comments"].items() if one["deleted"]]
    alive = [n for n in gone if desk.truth.lives[f"wordpress:{HOST}/comment/{n}"].phases[-1].state != "deleted"]
    if unknown or alive:
        msg = f"the database and the file of truths differ: unknown {unknown[:5]}, not deleted {alive[:5]}"
        raise NotAsPlanned(msg)
