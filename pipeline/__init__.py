"""The steps, each a function with plain arguments that may be repeated at any time."""

from pipeline.memory import choose_arrow_pool

choose_arrow_pool()
