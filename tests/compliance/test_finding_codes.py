from __future__ import annotations

import re

from conftest import ROOT

from compliance import detection, shapes
from compliance.finding_codes import KINDS


def test_every_code_is_documented_with_its_severity_and_meaning() -> None:
    page = (ROOT / "docs" / "findings.md").read_text()
    listed = {
        code: (severity, meaning)
        for code, severity, meaning in re.findall(r"^\| `(\w+)` \| (\w+) \| (.+?) \|", page, re.MULTILINE)
    }
    assert listed == {kind.code: (kind.severity, kind.meaning) for kind in KINDS.values()}


def test_every_code_is_looked_for() -> None:
    assert (
        set(KINDS) == detection.OF_LEDGER | detection.OF_MART | {detection.STALE, detection.OVER_BUDGET} | shapes.CODES
    )
