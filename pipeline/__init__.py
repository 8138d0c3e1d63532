"""The steps: capture, normalize, mart, audit. Each can be repeated at any time."""

from pipeline.memory import choose_arrow_pool

choose_arrow_pool()
