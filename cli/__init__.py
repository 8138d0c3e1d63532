"""The ``onrecord`` command: one module per subcommand, imported only when called. ``group.py`` names them."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command.

    For ``onrecord sql`` the process that answers is started first of all, so that it loads the database while this one reads its command line.
    """
    child = None
    if sys.argv[1:2] == ["sql"]:
        from warehouse.query_process import prepare

        child = prepare()
        from warehouse.query_child import Lean

        sys.meta_path.insert(0, Lean())
    from cli.group import run

    run(child)
