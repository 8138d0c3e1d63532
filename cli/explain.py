"""From an exception to a sentence on the screen and an exit code.

====  =====================================================================
code  meaning
====  =====================================================================
0     done
1     a fault of the program; the report names the file that describes it
2     the command or the question was wrong
3     refused by a rule, or something is not there yet
4     a platform did not give what was asked; the ledger has it
5     storage or the database did not do what was asked
6     settings or policy files are wrong
130   interrupted
====  =====================================================================
"""

from __future__ import annotations

import os
import sys
import tempfile
import traceback

import click

FAULT_OF_OURS = 1
BY_CLASS = {
    "SettingsError": 6,
    "PolicyBroken": 6,
    "CredentialMissing": 6,
    "DatabaseError": 5,
    "WarehouseError": 5,
    "ComplianceError": 3,
    "AccountBusy": 3,
    "NormalizeBusy": 3,
    "ComponentFailed": 1,
    "ConnectorError": 4,
    "CaptureFailed": 4,
    "LedgerError": 5,
}
"""Name of an error class, or of one it descends from -> exit code; the most derived one wins."""


def explain(problem: Exception) -> int:
    """Print what happened and return the exit code."""
    code = _code(problem)
    if code is None and isinstance(problem, OSError) and problem.errno == 28:  # noqa: PLR2004 - ENOSPC
        click.echo(f"Error: no space left on the disk ({problem.filename or 'unknown file'}): make room and run again", err=True)
        return 5
    if code is None:
        return _report(problem)
    click.echo(f"Error: {problem}", err=True)
    return code


def _code(problem: Exception) -> int | None:
    own = getattr(problem, "exit_code", None)
    if isinstance(own, int):
        return own
    return next((BY_CLASS[kind.__name__] for kind in type(problem).__mro__ if kind.__name__ in BY_CLASS), None)


def _report(problem: Exception) -> int:
    if os.environ.get("ONRECORD_TRACEBACK"):
        traceback.print_exception(problem)
        return FAULT_OF_OURS
    descriptor, name = tempfile.mkstemp(prefix="onrecord-", suffix=".txt")
    with os.fdopen(descriptor, "w") as file:
        file.write(f"onrecord {' '.join(sys.argv[1:])}\n")
        traceback.print_exception(problem, file=file)
    click.echo(f"Error: {type(problem).__name__}: {problem}", err=True)
    click.echo(f"This is a fault of the program, not yours. The details are in {name}", err=True)
    return FAULT_OF_OURS
