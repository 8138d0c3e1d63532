"""With PostgreSQL for the registry, the ledger and the Iceberg catalog, the whole path works the same."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import commands

if TYPE_CHECKING:
    from pathlib import Path

    from samplecity.server import City


def test_two_settings_move_everything_to_another_store_and_to_postgresql(
    installation: dict[str, str], sample_city: City, postgres_url: str, tmp_path: Path
) -> None:
    env = {**os.environ, **installation, **sample_city.environment(), "ONRECORD_DATABASE_URL": postgres_url}
    env.pop("ONRECORD_SHARED", None)
    answer = tmp_path / "posts.csv"
    for arguments in (
        ("accounts", "load", "policy/accounts.yaml"),
        ("capture", "parks"),
        ("normalize",),
        ("mart", "build"),
        ("sql", "SELECT record_id FROM current_posts", "--format", "csv", "--file", str(answer)),
        ("audit", "log"),
    ):
        done = commands.run(env, *arguments)
        assert done.code == 0, done.err
    truth = sample_city.truth()["accounts"]["parks"]["states"]["0"]["posts"]
    assert sorted(answer.read_text().split()[1:]) == sorted(truth)
    assert not (tmp_path / "var" / "onrecord.db").exists()
