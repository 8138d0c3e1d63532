"""Run the four DAGs one after the other as Airflow's ``dag.test()`` does, and print how their tasks ended as JSON."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "dags"))

from airflow.utils.db import initdb

initdb()

import audit
import capture
import mart
import normalize

found: dict[str, dict[str, int]] = {}
for module in (capture, normalize, mart, audit):
    dag = getattr(module, module.__name__)()
    run = dag.test()
    states = Counter(f"{task.task_id.partition('_')[0]}:{task.state}" for task in run.get_task_instances())
    found[dag.dag_id] = {"run": str(run.state), **states}
print(json.dumps(found))
