"""Normalizes in small units, as a process of its own that a test may kill: HOME DATABASE ENDPOINT EVIDENCE TABLES."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from pipeline import normalize
from warehouse.bucket import Bucket
from warehouse.database import open_database
from warehouse.endpoint import Endpoint
from warehouse.tables import Archive


def main(home: str, database: str, endpoint: str, evidence: str, tables: str) -> None:
    reached = Endpoint(**json.loads(endpoint))
    archive = Archive(database, reached, tables)
    archive.snapshots()
    normalize.UNIT_ROWS = 8
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    normalize.normalize(
        archive,
        open_database(database),
        Bucket(reached, evidence),
        Path(home),
        clock=lambda: datetime(2026, 4, 1, tzinfo=UTC),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
