"""The process that answers a question, started ahead of the question.

Loading the database takes it a tenth of a second, so it is started as early as can be: this module imports next to nothing.
"""

from __future__ import annotations

import os
import subprocess
import sys

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "query_child.py")  # noqa: PTH100, PTH118, PTH120 - pathlib takes longer to load than the rest


def prepare() -> subprocess.Popen[bytes]:
    """Start a child that loads its libraries and waits for one question. It ends by itself when its caller does."""
    path = [os.path.abspath(entry) for entry in sys.path if entry]  # noqa: PTH100 - as above
    return subprocess.Popen(  # noqa: S603 - our own file, run by our own interpreter
        [sys.executable, "-I", "-S", "-B", PROGRAM, *path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={},
        cwd="/",
        start_new_session=True,
    )
