"""``onrecord console``: the web console and who may log in."""

from __future__ import annotations

import click

ROLES = ("administrator", "records_officer", "communications", "auditor")


@click.group(
    epilog="""\b
Examples:
  onrecord console serve
  onrecord console password admin
  onrecord console add-user dana --role records_officer"""
)
def command() -> None:
    """The console: a web page of the accounts' activity, on loopback, with a login."""


@command.command("serve", epilog="\b\nExample:\n  onrecord console serve --port 18480")
@click.option("--host", help="Address to listen on; 127.0.0.1 unless set.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on.")
def serve(host: str | None, port: int | None) -> None:
    """Serve the console in the foreground until Ctrl-C."""
    import uvicorn

    from compliance import users
    from console.app import Sources, create_app
    from pipeline.workspace import Workspace

    workspace = Workspace()
    first = users.first_user(workspace.engine, at=workspace.clock())
    if first:
        click.echo(f"User admin, first password {first} (shown once; `onrecord console password` changes it)")
    chosen = workspace.settings.console
    sources = Sources(workspace.engine, workspace.settings.mart, city=chosen.city, clock=workspace.clock)
    uvicorn.run(
        create_app(sources),
        host=host or chosen.host,
        port=chosen.port if port is None else port,
        server_header=False,
        log_level="warning",
    )


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
