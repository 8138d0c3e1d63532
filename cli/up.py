"""``onrecord up``: storage, Airflow and the console in the foreground."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from types import FrameType

    from pipeline.stack import Addresses
    from pipeline.workspace import Workspace

HEALTHY_WITHIN_SECONDS = 180.0


class _Stopped(Exception):
    """Somebody asked to stop."""


@click.command(
    epilog="""\b
Examples:
  onrecord up
  ONRECORD_HOME=/srv/onrecord onrecord up
Ports that are taken are replaced by free ones; the addresses are printed once all is healthy."""
)
def command() -> None:
    """Run the object store, Airflow and the console until Ctrl-C.

    Everything listens on 127.0.0.1 only. State, logs and first passwords lie under var/.
    """
    from pipeline.workspace import Workspace

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    workspace = Workspace()
    try:
        with workspace.storage():
            _run(workspace)
    except _Stopped:
        click.echo("All stopped.")


def _run(workspace: Workspace) -> None:
    from pipeline.stack import addresses, components, environment, preparation
    from pipeline.supervisor import Supervisor

    root = Path(workspace.settings.policy).parent
    where = addresses(workspace.settings.console.port)
    env = environment(root, workspace.home, where)
    workspace.engine  # noqa: B018 - brings the database up to date before others open it
    _load_accounts(workspace)
    first = _first_console_password(workspace)
    (workspace.home / "airflow").mkdir(exist_ok=True)
    click.echo("Preparing Airflow's database")
    _prepare(preparation(), env)
    with Supervisor(workspace.home / "logs", say=click.echo) as supervisor:
        for component in components(env, where):
            supervisor.start(component)
        supervisor.wait_healthy(seconds=HEALTHY_WITHIN_SECONDS)
        _tell(workspace, where, first)
        while True:
            time.sleep(1)
            supervisor.check()


def _prepare(argv: list[str], env: dict[str, str]) -> None:
    import os

    done = subprocess.run(argv, env={**os.environ, **env}, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        msg = "Airflow's database could not be prepared:\n" + done.stderr[-2000:]
        raise click.ClickException(msg)


def _load_accounts(workspace: Workspace) -> None:
    from compliance import accounts

    if not any(True for _ in accounts.listing(workspace.engine)):
        accounts.load(workspace.engine, workspace.policy.accounts, now=workspace.clock())


def _first_console_password(workspace: Workspace) -> str | None:
    from compliance import users

    return users.first_user(workspace.engine, at=workspace.clock())


def _tell(workspace: Workspace, where: Addresses, first: str | None) -> None:
    passwords = workspace.home / "secrets" / "airflow_passwords.json"
    click.echo("")
    click.echo(f"Console   {where.console}")
    if first:
        click.echo(
            f"          user admin, first password {first} (shown once; change it with `onrecord console password`)"
        )
    click.echo(f"Airflow   {where.airflow}")
    for name, password in json.loads(passwords.read_text()).items():
        click.echo(f"          user {name}, password {password}")
    click.echo(f"Logs      {workspace.home / 'logs'}")
    click.echo("Ctrl-C stops everything.")


def _stop(_number: int, _frame: FrameType | None) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise _Stopped
