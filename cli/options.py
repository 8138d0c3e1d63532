"""Small things the commands share: how they print, and who is acting."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def screen(*, err: bool = False) -> Console:
    """A console for tables and progress: plain where the output is not a terminal."""
    from rich.console import Console

    width = None if os.isatty(2 if err else 1) else max(int(os.environ.get("COLUMNS", "0")), 110)
    return Console(stderr=err, highlight=False, width=width)


def actor() -> str:
    """Who runs the command, for the audit log: the operating system's user, not what the environment claims."""
    from compliance.audit_log import os_actor

    return os_actor()
