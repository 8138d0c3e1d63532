from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
POOL = "ARROW_DEFAULT_MEMORY_POOL"


def pool_after(imports: str, **environment: str) -> str:
    """Where Arrow allocates in a fresh process that imports these first."""
    inherited = {name: value for name, value in os.environ.items() if name != POOL}
    code = f"{imports}; import pyarrow; print(pyarrow.default_memory_pool().backend_name)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**inherited, **environment}, stdout=subprocess.PIPE, check=True
    )
    return done.stdout.decode().strip()


@pytest.mark.parametrize("imports", ["import pipeline.steps", "import cli.normalize, pipeline.normalize"])
def test_a_process_with_the_steps_lets_arrow_allocate_from_jemalloc(imports: str) -> None:
    assert pool_after(imports) == "jemalloc"


def test_a_pool_the_operator_chose_stays() -> None:
    assert pool_after("import pipeline.steps", **{POOL: "mimalloc"}) == "mimalloc"
