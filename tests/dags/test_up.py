"""``onrecord up``: the whole stack starts, the real scheduler runs the chain once, Ctrl-C leaves no process behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from conftest import ROOT

from samplecity.server import City

START_SECONDS = 240
CHAIN_SECONDS = 240


def wait_for(what: str, found: Callable[[], Any], seconds: float) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = found()
        if answer is not None:
            return answer
        time.sleep(1)
    pytest.fail(f"{what} did not happen within {seconds:.0f} s")


class Stack:
    def __init__(self, home: Path, env: dict[str, str]) -> None:
        self.home = home
        self.output = home.parent / "up.txt"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cli", "up"], cwd=ROOT, env=env, stdout=output, stderr=subprocess.STDOUT
            )

    def wait_started(self) -> None:
        def started() -> bool | None:
            assert self.process.poll() is None, self.output.read_text()[-3000:]
            return "Ctrl-C stops everything" in self.output.read_text() or None

        wait_for("a healthy stack", started, START_SECONDS)

    def address(self, name: str) -> str:
        found = re.search(rf"^{name}\s+(http://127\.0\.0\.1:\d+)$", self.output.read_text(), re.MULTILINE)
        assert found, self.output.read_text()
        return found[1]

    def processes(self) -> list[psutil.Process]:
        """Every living process that works in this home."""
        mine = []
        for process in psutil.process_iter():
            try:
                env, command = process.environ(), process.cmdline()
            except (psutil.Error, OSError):
                continue
            if env.get("ONRECORD_HOME") == str(self.home) or any(str(self.home) in part for part in command):
                mine.append(process)
        return mine


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, City]]:
    home = tmp_path_factory.mktemp("up") / "var"
    with City.start() as city:
        env = {**os.environ, **city.environment(), "ONRECORD_HOME": str(home)}
        running = Stack(home, env)
        try:
            running.wait_started()
            yield running, city
        finally:
            running.process.kill()
            for process in running.processes():
                process.kill()


class Airflow:
    def __init__(self, stack: Stack) -> None:
        self.url = stack.address("Airflow")
        passwords = json.loads((stack.home / "secrets" / "airflow_passwords.json").read_text())
        login = {"username": "admin", "password": passwords["admin"]}
        answer = requests.post(f"{self.url}/auth/token", json=login, timeout=30)
        self.headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def get(self, path: str) -> Any:
        answer = requests.get(f"{self.url}/api/v2{path}", headers=self.headers, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, body: dict[str, object]) -> Any:
        answer = requests.post(f"{self.url}/api/v2{path}", json=body, headers=self.headers, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def finished(self, dag: str) -> str | None:
        runs = self.get(f"/dags/{dag}/dagRuns")["dag_runs"]
        return next((run["state"] for run in runs if run["state"] in ("success", "failed")), None)


@pytest.mark.timeout(900)
def test_the_stack_runs_the_chain_under_the_real_scheduler_and_stops_cleanly(stack: tuple[Stack, City]) -> None:
    running, city = stack
    city.faults({"fault": "rate_limited", "path": "^/mastodon/.*/statuses", "retry_after": 25})

    assert requests.get(running.address("Console") + "/", timeout=30, allow_redirects=False).status_code == 303
    airflow = Airflow(running)
    wait_for(
        "the DAGs", lambda: {"capture", "audit"} <= {d["dag_id"] for d in airflow.get("/dags")["dags"]} or None, 120
    )
    if not airflow.get("/dags/capture/dagRuns")["dag_runs"]:
        airflow.post("/dags/capture/dagRuns", {"logical_date": None})

    assert wait_for("the capture", lambda: airflow.finished("capture"), CHAIN_SECONDS) == "failed", (
        "a dead token is loud"
    )
    for dag in ("normalize", "mart", "audit"):
        assert wait_for(f"the run of {dag}", lambda dag=dag: airflow.finished(dag), CHAIN_SECONDS) == "success"
    assert (running.home / "mart.duckdb").exists()

    run = airflow.get("/dags/capture/dagRuns")["dag_runs"][0]["dag_run_id"]
    looks = airflow.get(f"/dags/capture/dagRuns/{run}/taskInstances")["task_instances"]
    looks = [look for look in looks if look["task_id"].startswith("look_") and look["map_index"] >= 0]
    waited = [look for look in looks if look["try_number"] == 2 and look["state"] == "success"]
    assert len(waited) == 1, "the look that was told to wait came back once and succeeded"
    dead = [look for look in looks if look["state"] == "failed"]
    assert [(look["try_number"], look["pool"]) for look in dead] == [(1, "capture_mastodon_library")]

    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(60) == 0, running.output.read_text()[-2000:]
    assert running.output.read_text().rstrip().endswith("All stopped.")
    wait_for("the end of every process", lambda: not running.processes() or None, 15)
