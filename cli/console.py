"""``onrecord console``: the web console and who may log in."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from datetime import timedelta

import click

INTERVALS_UNTIL_LATE = 3
"""An account is late once its last complete look is older than this many intervals between captures."""
ROLES = ("administrator", "records_officer", "communications", "auditor")


@click.group(
    epilog="""\b
Examples:
  onrecord console serve
  onrecord console password admin
  onrecord console add-user dana --role records_officer
  onrecord console remove-user dana"""
)
def command() -> None:
    """The console: a web page of the accounts' activity, on loopback, with a login."""


@command.command("serve", epilog="\b\nExample:\n  onrecord console serve --port 18480")
@click.option("--host", help="Address to listen on; 127.0.0.1 unless set.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 for any that is free.")
def serve(host: str | None, port: int | None) -> None:
    """Serve the console in the foreground until Ctrl-C."""
    from threading import Thread

    import uvicorn

    from compliance import users
    from console import charts
    from console.app import Sources, create_app
    from pipeline.workspace import Workspace

    workspace = Workspace()
    chosen = workspace.settings.console
    every = timedelta(minutes=workspace.policy.revisit.capture_every_minutes)
    sources = Sources(
        workspace.engine,
        workspace.settings.mart,
        city=chosen.city,
        late_after=INTERVALS_UNTIL_LATE * every,
        clock=workspace.clock,
    )
    config = uvicorn.Config(
        create_app(sources), server_header=False, lifespan="off", log_level="warning", timeout_graceful_shutdown=5
    )
    with _listening(host or chosen.host, chosen.port if port is None else port) as listener:
        first = users.first_user(workspace.engine, at=workspace.clock())
        if first:
            click.echo(f"User admin, first password {first} (shown once; `onrecord console password` changes it)")
        Thread(target=charts.warm_up, name="charts", daemon=True).start()  # beside the first requests
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])


def _listening(host: str, port: int) -> socket.socket:
    """Open the port, and tell the address; warn where others than this machine can reach it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=128)
    except OSError as problem:
        why = (problem.strerror or str(problem)).partition(" (while")[0]
        msg = f"cannot listen on {host} port {port}: {why}. Choose another: --port 0 takes any that is free"
        raise click.ClickException(msg) from None
    address, number = listener.getsockname()[:2]
    if not ipaddress.ip_address(address).is_loopback:
        warning = f"Warning: {address} can be reached from other machines, and nothing here encrypts: put a TLS proxy before it."
        click.echo(warning, err=True)
    click.echo(f"Console http://{f'[{address}]' if ':' in address else address}:{number}")
    return listener


@command.command("users", epilog="\b\nExample:\n  onrecord console users")
def listing() -> None:
    """List who may log in."""
    from compliance import users
    from pipeline.workspace import Workspace

    for user in users.listing(Workspace().engine):
        click.echo(f"{user.name}\t{user.role}")


@command.command("add-user", epilog="\b\nExample:\n  onrecord console add-user dana --role records_officer")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True)
@click.password_option(help="Asked for if not given; at least 12 characters.")
def add_user(name: str, role: str, password: str) -> None:
    """Let somebody log in."""
    from cli.options import actor
    from compliance import audit_log, users
    from pipeline.workspace import Workspace

    workspace = Workspace()
    users.add(workspace.engine, name=name, role=role, password=password, at=workspace.clock())
    audit_log.append(
        workspace.engine, actor=actor(), action="users.add", subject=name, detail={"role": role}, now=workspace.clock()
    )
    click.echo(f"{name} may log in as {role}")


@command.command("password", epilog="\b\nExample:\n  onrecord console password admin")
@click.argument("name", default="admin")
@click.password_option(help="Asked for if not given; at least 12 characters.")
def password(name: str, password: str) -> None:
    """Set a new password; ends the user's sessions."""
    from cli.options import actor
    from compliance import audit_log, users
    from pipeline.workspace import Workspace

    workspace = Workspace()
    users.set_password(workspace.engine, name, password)
    audit_log.append(
        workspace.engine, actor=actor(), action="users.password", subject=name, detail={}, now=workspace.clock()
    )
    click.echo(f"{name} has a new password")


@command.command("remove-user", epilog="\b\nExample:\n  onrecord console remove-user dana")
@click.argument("name")
def remove_user(name: str) -> None:
    """Take somebody's access away at once; what they did stays in the audit log."""
    from cli.options import actor
    from compliance import audit_log, users
    from pipeline.workspace import Workspace

    workspace = Workspace()
    users.remove(workspace.engine, name)
    audit_log.append(
        workspace.engine, actor=actor(), action="users.remove", subject=name, detail={}, now=workspace.clock()
    )
    click.echo(f"{name} may no longer log in")
