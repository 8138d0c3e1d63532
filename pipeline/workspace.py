"""All that a step works with, opened from the settings when first needed."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import settings
from settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine

    from compliance.policy import Policy
    from warehouse.bucket import Bucket
    from warehouse.endpoint import Endpoint
    from warehouse.tables import Archive

SOFTWARE = f"onrecord {version('onrecord')}"


def utc_now() -> datetime:
    """The clock of everything that is not a test."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Storage:
    """The object store, reached and found honest."""

    endpoint: Endpoint
    evidence: Bucket
    archive: Archive


class Workspace:
    """Settings, database, policy and storage of one installation."""

    def __init__(self, chosen: Settings | None = None, *, clock: Callable[[], datetime] = utc_now) -> None:
        self.settings = settings.load() if chosen is None else chosen
        self.clock = clock

    @property
    def home(self) -> Path:
        """Where state lies; made if absent, readable by its owner only."""
        home = self.settings.var
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        return home

    @property
    def spool(self) -> Path:
        """Where captures in progress lie."""
        return self.home / "spool"

    @cached_property
    def engine(self) -> Engine:
        """The database, brought up to date."""
        from warehouse.database import open_database

        self.home  # noqa: B018 - SQLite needs the folder
        return open_database(self.settings.database)

    @cached_property
    def policy(self) -> Policy:
        """The City's rules. Raises with file, line and field where they are wrong."""
        from compliance.policy import load_policy

        return load_policy(Path(self.settings.policy))

    @contextmanager
    def storage(self) -> Iterator[Storage]:
        """The buckets and tables; the embedded server is started, and stopped again, where none runs."""
        from warehouse.bucket import prepare
        from warehouse.tables import Archive

        with self._endpoint() as endpoint:
            buckets = prepare(endpoint, self.settings.s3, home=self.home, clock=self.clock)
            archive = Archive(self.settings.database, endpoint, buckets.tables.name)
            yield Storage(endpoint, buckets.evidence, archive)

    @contextmanager
    def _endpoint(self) -> Iterator[Endpoint]:
        s3 = self.settings.s3
        if s3.endpoint:
            from warehouse.endpoint import Endpoint

            yield Endpoint(s3.endpoint, s3.region, s3.access_key, s3.secret_key)
            return
        from warehouse.seaweed import serving

        with serving(self.home) as endpoint:
            yield endpoint
