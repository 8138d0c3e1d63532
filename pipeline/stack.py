"""What `onrecord up` runs beside the object store: Airflow's five processes and the console.

Airflow's Execution API has a process of its own: with SQLite, one process for both APIs locks up under load. The log servers of
scheduler and triggerer are off, for they would listen on every interface; logs are read from the shared folder.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.lanes import lanes
from pipeline.supervisor import Component

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

AIRFLOW_PORT = 18473
EXECUTION_PORT = 18474


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the stack listens, on loopback."""

    airflow: str
    execution: str
    console: str


def free_port(wanted: int) -> int:
    """The wanted port on loopback if it is free, else one that is."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    msg = "no free port on 127.0.0.1"
    raise OSError(msg)


def addresses(console_port: int) -> Addresses:
    """Choose ports that are free now."""
    return Addresses(
        airflow=f"http://127.0.0.1:{free_port(AIRFLOW_PORT)}",
        execution=f"http://127.0.0.1:{free_port(EXECUTION_PORT)}",
        console=f"http://127.0.0.1:{free_port(console_port)}",
    )


def environment(root: Path, home: Path, where: Addresses) -> dict[str, str]:
    """Airflow's settings for this checkout: its home is the checkout, its state is in ``home``."""
    state = home / "airflow"
    return {
        "AIRFLOW_HOME": str(root),
        "ONRECORD_ROOT": str(root),
        "ONRECORD_HOME": str(home),
        "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": os.environ.get(
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", f"sqlite:///{state / 'airflow.db'}"
        ),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(state / "logs"),
        "AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(state / "logs" / "dag_processor"),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(state / "bundles"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(state / "plugins"),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "secrets" / "airflow_passwords.json"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{where.execution}/execution/",
        "AIRFLOW__API__PORT": where.airflow.rpartition(":")[2],
        "AIRFLOW__API__BASE_URL": where.airflow,
    }


def components(env: Mapping[str, str], where: Addresses) -> list[Component]:
    """The stack, in the order in which it starts."""
    airflow = [sys.executable, "-m", "airflow"]
    monitor = f"{where.airflow}/api/v2/monitor/health"
    api = ["api-server", "--host", "127.0.0.1", "--workers", "1", "--port"]
    return [
        Component(
            "airflow-execution-api",
            [*airflow, *api, where.execution.rpartition(":")[2], "--apps", "execution"],
            lambda: _answers(f"{where.execution}/execution/health"),
            env,
        ),
        Component(
            "airflow-api",
            [*airflow, *api, where.airflow.rpartition(":")[2], "--apps", "core"],
            lambda: _answers(monitor),
            env,
        ),
        Component("airflow-scheduler", [*airflow, "scheduler", "--skip-serve-logs"], _well(monitor, "scheduler"), env),
        Component("airflow-triggerer", [*airflow, "triggerer", "--skip-serve-logs"], _well(monitor, "triggerer"), env),
        Component("airflow-dag-processor", [*airflow, "dag-processor"], _well(monitor, "dag_processor"), env),
        Component(
            "console",
            [sys.executable, "-m", "cli", "console", "serve", "--port", where.console.rpartition(":")[2]],
            lambda: _answers(f"{where.console}/healthz"),
            env,
        ),
    ]


PREPARE = """
from airflow.utils.db import initdb, upgradedb
from airflow.models.pool import Pool
upgradedb()
import json, sys
for name, slots in json.loads(sys.argv[1]).items():
    Pool.create_or_update_pool(name, slots=slots, description="Onrecord", include_deferred=False)
"""


def preparation() -> list[str]:
    """The command that brings Airflow's database up to date and makes the pools, one per lane of capture."""
    pools = {lane.pool: lane.slots for lane in lanes()} | {"tables": 1}
    return [sys.executable, "-c", PREPARE, json.dumps(pools)]


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own loopback address
            return bool(answer.status == 200)  # noqa: PLR2004 - HTTP
    except (urllib.error.URLError, OSError, ValueError):
        return False


def _well(url: str, part: str) -> Callable[[], bool]:
    def healthy() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own loopback address
                return bool(json.load(answer)[part]["status"] == "healthy")
        except (urllib.error.URLError, OSError, ValueError, KeyError, TypeError):
            return False

    return healthy
