"""The sample city beside an archive made by the demo: it lives on where the demo left it.

The demo leaves ``demo.json`` in the archive's home, with the moment the city began and how often it moved on. A command that
talks to platforms wakes the same city up, to the last id.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from samplecity.server import City

MARKER = "demo.json"


def leave_marker(home: Path, city: City) -> None:
    """Remember that this archive is of the sample city, and when its moments happened."""
    (home / MARKER).write_text(json.dumps({"moments": [moment.isoformat() for moment in city.moments]}))


@contextmanager
def awake(workspace: Workspace) -> Iterator[Workspace]:
    """The workspace with the sample city within reach, where it is the demo's; else as it is."""
    marker = workspace.home / MARKER
    if not marker.exists():
        yield workspace
        return
    from samplecity.server import City

    moments = [datetime.fromisoformat(moment) for moment in json.loads(marker.read_text())["moments"]]
    with City.start(moments=moments) as city, reaching(city):
        yield Workspace(clock=workspace.clock)


@contextmanager
def reaching(city: City) -> Iterator[None]:
    """The environment in which the settings know the city's addresses and credentials."""
    added = city.environment()
    before = {name: os.environ.get(name) for name in added}
    os.environ.update(added)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
