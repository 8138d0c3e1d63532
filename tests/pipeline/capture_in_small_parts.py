"""The ``onrecord`` command with evidence locked in parts of some bytes: the first argument."""

from __future__ import annotations

import sys

from cli import main
from pipeline import look

if __name__ == "__main__":
    look.PART_BYTES = int(sys.argv.pop(1))
    main()
