"""The steps: capture, normalize, mart, audit. Each can be repeated at any time."""
