"""From archived pages to typed rows: pure functions, no I/O."""
