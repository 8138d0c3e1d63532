"""Run the DAG ``watch`` once as Airflow's ``dag.test()`` does, and print how its tasks ended as JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "dags"))

from airflow.utils.db import initdb

initdb()

import watch

run = watch.watch().test()
print(json.dumps({"run": str(run.state), **{task.task_id: str(task.state) for task in run.get_task_instances()}}))
