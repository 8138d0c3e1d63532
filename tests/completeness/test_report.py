"""The page keeps what stands around the last result, and never rounds up to a whole."""

from __future__ import annotations

from pathlib import Path

from completeness.compare import Result, Score
from completeness.life import Beyond
from completeness.report import BEGIN, END, Outcome, write


def test_the_last_result_replaces_the_one_before_and_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Head\n{BEGIN}\nold\n{END}\nTail\n")
    result = Result()
    result.scores["post"] = Score(expected=2000, rows=2000, missing=["one"])
    result.unseen["post edited"] = ["another"]
    outcome = Outcome("bluesky", result, [Beyond("mutes", "nobody tells")], [], 3, 60)
    write(page, [outcome], "Made today.")
    text = page.read_text()
    assert text.startswith(f"# Head\n{BEGIN}\nMade today.\n")
    assert text.endswith(f"{END}\nTail\n")
    assert "| post | 2,000 | 99.9 % | 2,000 | 100 % |" in text
    assert "| post edited | 1 |" in text
    assert "- mutes: nobody tells" in text
    assert "old" not in text
    assert not outcome.is_whole
