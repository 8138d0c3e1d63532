"""``python -m cli``: the same as ``onrecord``."""

from cli import main

main()
