"""From an exception to a sentence on the screen and an exit code.

====  =====================================================================
code  meaning
====  =====================================================================
0     done
1     a fault of the program; the report names the file that describes it
2     the command or the question was wrong
3     refused by a rule or a limit, busy, or something is not there yet
4     a platform did not give what was asked; the ledger has it
5     storage or the database did not do what was asked
6     settings or policy files are wrong
7     findings are open (``onrecord findings --check``)
130   interrupted
====  =====================================================================
"""

from __future__ import annotations

import errno
import os
import sys
import tempfile
import traceback

import click

FAULT_OF_OURS = 1
STORAGE = 5
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
BY_CLASS = {
    "SettingsError": 6,
    "PolicyBroken": 6,
    "CredentialMissing": 6,
    "DatabaseError": 5,
    "WarehouseError": 5,
    "ComplianceError": 3,
    "AccountBusy": 3,
    "NormalizeError": 3,
    "ComponentFailed": 1,
    "ConnectorError": 4,
    "CaptureFailed": 4,
    "LedgerError": 5,
}
"""Name of an error class, or of one it descends from -> exit code; the most derived one wins."""


def explain(problem: Exception) -> int:
    """Print what happened and return the exit code."""
    code = _code(problem)
    if code is None and isinstance(problem, OSError):
        sentence = _of_the_system(problem)
        if sentence:
            click.echo(f"Error: {sentence}", err=True)
            return STORAGE
    if code is None:
        return _report(problem)
    click.echo(f"Error: {problem}", err=True)
    return code


def _code(problem: Exception) -> int | None:
    for kind in type(problem).__mro__:
        if kind.__name__ in BY_CLASS:
            return BY_CLASS[kind.__name__]
        own = vars(kind).get("exit_code")
        if isinstance(own, int):
            return own
    return None


def _of_the_system(problem: OSError) -> str | None:
    """What the operating system refused, where a person can mend it."""
    if problem.errno in FULL:
        return f"no space left on the disk ({problem.filename or 'unknown file'}): make room and run again"
    if problem.filename is None:
        return None
    return f"{problem.filename}: {problem.strerror}. Choose another place, or mend its rights, and run again"


def _report(problem: Exception) -> int:
    descriptor, name = tempfile.mkstemp(prefix="onrecord-", suffix=".txt")
    with os.fdopen(descriptor, "w") as file:
        file.write(f"onrecord {' '.join(sys.argv[1:])}\n")
        traceback.print_exception(problem, file=file)
    click.echo(f"Error: {type(problem).__name__}: {problem}", err=True)
    click.echo(f"This is a fault of the program, not yours. The details are in {name}", err=True)
    return FAULT_OF_OURS
