"""The ``onrecord`` command in a process of its own, as a person runs it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 200


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that ended."""

    code: int
    out: str
    err: str

    def refused(self, code: int, *words: str) -> str:
        """Check that it ended with this code and a sentence with these words, not with a stack trace. Returns the sentence."""
        assert self.code == code, (self.code, self.out, self.err)
        assert "Traceback" not in self.err + self.out
        assert "fault of the program" not in self.err
        for word in words:
            assert word in self.err, self.err
        return self.err


def command(*arguments: str) -> list[str]:
    """The command line."""
    return [sys.executable, "-m", "cli", *arguments]


def begin(environment: Mapping[str, str], *arguments: str) -> subprocess.Popen[bytes]:
    """Start the command and do not wait. What it prints is thrown away."""
    return subprocess.Popen(
        command(*arguments),
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def run(environment: Mapping[str, str], *arguments: str, given: str = "") -> Ended:
    """Run the command to its end, whatever that is."""
    done = subprocess.run(
        command(*arguments),
        cwd=ROOT,
        env=environment,
        input=given,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def ok(environment: Mapping[str, str], *arguments: str, given: str = "") -> str:
    """Run the command, which must succeed. Returns what it printed."""
    done = run(environment, *arguments, given=given)
    assert done.code == 0, (arguments, done.code, done.out, done.err)
    return done.out
