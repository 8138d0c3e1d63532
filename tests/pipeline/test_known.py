"""The small local files tell what the tables tell, and are not trusted when they may not."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from pipeline.known import Known
from pipeline.steps import look_at, normalize_all, to_capture
from warehouse import known

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.workspace import Storage, Workspace
    from samplecity.server import City

NAMES = ("city-hall", "public-works", "news")


def told(workspace: Workspace, storage: Storage, home: Path) -> dict[tuple[str, str], set[str]]:
    asked = Known(storage.archive, workspace.engine, home)
    since = workspace.clock().replace(year=workspace.clock().year - 1)
    found = {}
    for account in to_capture(workspace, NAMES):
        for resource in ("posts", "comments", "moderation"):
            found[account.name, resource] = asked.ids(resource, account_id=account.account_id)
            found[account.name, f"{resource} lately"] = asked.ids(resource, account_id=account.account_id, since=since)
        roots = sorted(found[account.name, "posts"])[:5]
        found[account.name, "below"] = asked.ids("comments", account_id=account.account_id, roots=roots)
        busy = asked.hot_threads(account.account_id, since=since, comments=3)
        found[account.name, "busy"] = {item.native_id for item in busy}
    return found


def test_files_and_tables_tell_the_same_after_every_run(workspace: Workspace, sample_city: City) -> None:
    with workspace.storage() as storage:
        for _ in range(2):
            for account in to_capture(workspace, NAMES):
                look_at(workspace, storage, account)
            normalize_all(workspace, storage)
            assert known.reflects(workspace.home, known.state_of_tables(workspace.engine))
            by_files = told(workspace, storage, workspace.home)
            assert by_files == told(workspace, storage, workspace.home / "elsewhere")
            assert by_files["city-hall", "posts"]
            assert by_files["city-hall", "posts lately"] < by_files["city-hall", "posts"]
            sample_city.advance()


def test_who_wrote_a_known_record_is_told(workspace: Workspace, sample_city: City) -> None:
    with workspace.storage() as storage:
        (account,) = to_capture(workspace, ["public-works"])
        look_at(workspace, storage, account)
        normalize_all(workspace, storage)
        asked = Known(storage.archive, workspace.engine, workspace.home)
        wrote = asked.authors("comments", account.account_id, asked.ids("comments", account_id=account.account_id))
    entries = sample_city.desk.world.entries
    assert len(wrote) > 3
    assert {one: author for author, ids in wrote.items() for one in ids} == {
        one: entries[one].author.native_id for ids in wrote.values() for one in ids
    }


def test_files_that_were_left_half_done_are_not_trusted_and_made_again(workspace: Workspace, sample_city: City) -> None:
    with workspace.storage() as storage:
        (account,) = to_capture(workspace, ["public-works"])
        look_at(workspace, storage, account)
        normalize_all(workspace, storage)
        (workspace.home / "known" / known.STAMP).unlink()
        for file in (workspace.home / "known").glob("*.parquet"):
            shutil.copy(file, file.with_suffix(".old"))
            file.write_bytes(b"cut off")
        whole = Known(storage.archive, workspace.engine, workspace.home).ids("posts", account_id=account.account_id)
        assert len(whole) == sample_city.truth()["accounts"]["public-works"]["posts"]["0"]
        look_at(workspace, storage, account)
        normalize_all(workspace, storage)
        assert known.reflects(workspace.home, known.state_of_tables(workspace.engine))
        assert told(workspace, storage, workspace.home) == told(workspace, storage, workspace.home / "elsewhere")
