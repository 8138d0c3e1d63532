"""DAG files parse fast, alone, and without touching a network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from conftest import ROOT

PARSE = """
import importlib.util, json, socket, sys, time
from pathlib import Path
import airflow.sdk

def refused(*_args, **_kwargs):
    raise RuntimeError("a DAG file opened a socket while it was parsed")

socket.socket.connect = refused
socket.create_connection = refused
found = {}
for file in map(Path, sys.argv[1:]):
    before = set(sys.modules)
    begun = time.perf_counter()
    spec = importlib.util.spec_from_file_location(file.stem + "_dag", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    seconds = time.perf_counter() - begun
    heavy = {"pyarrow", "duckdb", "boto3", "pyiceberg", "requests"} & (set(sys.modules) - before)
    found[file.stem] = [seconds, sorted(heavy)]
print(json.dumps(found))
"""


def _run(code: str, env: dict[str, str], *arguments: str) -> object:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_every_dag_file_parses_in_under_two_seconds_with_sockets_blocked(
    airflow_environment: dict[str, str], dag_files: list[Path]
) -> None:
    found = _run(PARSE, airflow_environment, *map(str, dag_files))
    assert sorted(found) == ["audit", "backfill", "capture", "mart", "normalize", "watch"]
    assert {name: seconds for name, (seconds, _) in found.items() if seconds >= 2} == {}
    assert {name: heavy for name, (_, heavy) in found.items() if heavy} == {}


def test_each_dag_rings_the_next(airflow_environment: dict[str, str]) -> None:
    code = """
import json, sys
sys.path.insert(0, "dags")
import capture, normalize, mart, audit, watch
def outlets(dag): return sorted({a.name for t in dag.tasks for a in t.outlets})
found = {}
for module in (capture, normalize, mart, audit, watch):
    dag = getattr(module, module.__name__)
    dag = dag() if callable(dag) else dag
    schedule = getattr(dag.timetable, "asset_condition", None)
    waits = [asset.name for asset in schedule.objects] if schedule else []
    found[dag.dag_id] = [waits, outlets(dag)]
print(json.dumps(found))
"""
    assert _run(code, airflow_environment) == {
        "capture": [[], ["evidence"]],
        "normalize": [["evidence"], ["records"]],
        "mart": [["records"], ["mart"]],
        "audit": [["mart"], []],
        "watch": [["evidence"], []],
    }
