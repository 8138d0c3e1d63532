"""Real platforms, archived while they change and break: whatever their APIs can show is found, and nothing else."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from atproto_stack import POSTGRES
from atproto_stack import installed as stack_installed
from completeness.platforms import RUNS, CannotRun, compared
from completeness.report import Outcome, show
from conftest import SHARED, require
from rich.console import Console
from wordpress_site import installed as site_installed

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    require(SHARED, "the scripts that run real platforms are not beside the project (ONRECORD_SHARED names them)")
    require((POSTGRES / "initdb").exists(), f"PostgreSQL's server programs are not in {POSTGRES} (PGBIN names them)")
    require((stack_installed() / "app" / "node_modules").is_dir(), "the AT Protocol services are not installed")
    require((site_installed() / "tree").is_dir(), "WordPress is not installed: run platforms/wordpress/wordpress.sh")
    require(Path("/usr/bin/php").exists(), "php, which WordPress needs, is not installed")
    try:
        return {outcome.platform: outcome for outcome in compared(sorted(RUNS), fast=True)}
    except CannotRun as missing:
        require(None, str(missing))
        raise


@pytest.mark.parametrize("platform", sorted(RUNS))
def test_whatever_the_api_can_show_is_found_and_nothing_else(outcomes: dict[str, Outcome], platform: str) -> None:
    outcome = outcomes[platform]
    printed = io.StringIO()
    show(Console(file=printed, width=160), outcome)
    assert outcome.is_whole, printed.getvalue()


@pytest.mark.parametrize(
    ("platform", "kinds"),
    [
        (
            "bluesky",
            {
                *("post edited", "post deleted", "post unavailable", "post restored"),
                *("comment edited", "comment deleted", "comment hidden", "comment shown again", "comment restored"),
                *("label", "label deleted", "takedown", "takedown deleted"),
                *("hide", "hide deleted", "block", "block deleted", "block_list", "reply_gate", "detach_quote", "gap"),
                *("cause: deleted_by_author", "cause: removed_by_city", "cause: removed_by_platform"),
                *("cause: author_gone", "cause: author_suspended"),
            },
        ),
        (
            "wordpress",
            {
                *("post edited", "post deleted", "post hidden", "post shown again"),
                *("comment edited", "comment deleted", "comment hidden", "comment shown again"),
                *("comment held back", "comment held back deleted", "comments closed", "comments closed deleted"),
                *("cause: removed_by_city", "gap"),
            },
        ),
    ],
)
def test_every_kind_of_change_took_place(outcomes: dict[str, Outcome], platform: str, kinds: set[str]) -> None:
    happened = {kind for kind, score in outcomes[platform].result.scores.items() if score.expected}
    assert kinds <= happened
