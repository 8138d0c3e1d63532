"""The chain of DAGs, end to end against the sample city."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
from conftest import ROOT

from samplecity.server import City


def test_the_dags_bring_the_city_from_its_platforms_to_the_mart(airflow_environment: dict[str, str]) -> None:
    home = Path(airflow_environment["ONRECORD_HOME"])
    with City.start() as city:
        env = {**os.environ, **airflow_environment, **city.environment()}
        onrecord = [sys.executable, "-m", "cli"]
        subprocess.run([*onrecord, "accounts", "load", "policy/accounts.yaml"], cwd=ROOT, env=env, check=True)
        done = subprocess.run(
            [sys.executable, ROOT / "tests/dags/chain.py"],
            cwd=ROOT,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        truth = city.truth()
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    looks = {state: count for state, count in found["capture"].items() if state.startswith("look:")}
    assert looks["look:success"] == 6
    assert found["capture"]["run"] == "failed", "the library's dead token must not end in a green run"
    assert found["normalize"] == {"run": "success", "rows:success": 1}
    assert found["mart"] == {"run": "success", "build:success": 1}
    assert found["audit"] == {"run": "success", "retention:success": 1}
    with duckdb.connect(str(home / "mart.duckdb"), read_only=True) as mart:
        for kind in ("posts", "comments"):
            standing = f"SELECT count(*) FROM current_{kind} WHERE state IN ('present', 'hidden')"
            assert mart.execute(standing).fetchall() == [(truth["total"][kind]["0"],)]
