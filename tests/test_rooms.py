"""The map of rooms holds: who may import whom, and nothing heavy where it would be paid for again and again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from conftest import ROOT


def test_a_lower_room_never_imports_a_higher_one() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_command_starts_without_heavy_imports() -> None:
    code = "import sys, cli; print(sorted({'pyarrow', 'duckdb', 'boto3', 'sqlalchemy', 'rich', 'airflow'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
