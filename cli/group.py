"""The group of all commands, and how it ends: a sentence and an exit code."""

from __future__ import annotations

import gc
import signal
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from subprocess import Popen

TERMINATED = 128 + signal.SIGTERM

COMMANDS = {
    "accounts": ("cli.accounts", "The registry: load, list, show, add, approve, deactivate."),
    "audit": ("cli.audit", "Audits over the mart: what must be kept, what is due."),
    "backfill": ("cli.backfill", "Read an account's past to its beginning."),
    "capture": ("cli.capture", "Look at accounts and keep what they show as evidence."),
    "console": ("cli.console", "The web console and who may log in."),
    "demo": ("cli.demo", "Capture the sample city twice and show what was found."),
    "evidence": ("cli.evidence", "The evidence as files, and whether it is whole."),
    "findings": ("cli.findings", "What is wrong now, since when, and what to do."),
    "mart": ("cli.mart", "The DuckDB file that answers questions."),
    "normalize": ("cli.normalize", "From evidence to tables."),
    "plan": ("cli.plan", "What is looked at again, how often, and what a day costs."),
    "policy": ("cli.policy", "Check the City's rules."),
    "respond": ("cli.respond", "Answer a records request with a package to hand over."),
    "show": ("cli.show", "One record: its versions, its thread, its evidence."),
    "sql": ("cli.sql", "Ask the mart one question in SQL, read-only."),
    "status": ("cli.status", "What runs, what is fresh, what failed last."),
    "up": ("cli.up", "Run storage, Airflow and the console in the foreground."),
    "views": ("cli.views", "What can be asked: tables, views and their columns."),
}


class Lazy(click.Group):
    """A group that knows its commands by name and imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in order."""
        del ctx
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command of that name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command = getattr(import_module(COMMANDS[cmd_name][0]), "command")  # noqa: B009 - the module is not known before
        assert isinstance(command, click.Command)  # noqa: S101 - a module of ours without its command is a bug
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with their summaries, importing none."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])


@click.group(
    cls=Lazy,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""\b
Examples:
  onrecord accounts list
  onrecord capture
  onrecord normalize && onrecord mart build
  onrecord sql "SELECT * FROM deletions LIMIT 10"

Settings come from ONRECORD_* variables and onrecord.toml: see docs/configuration.md.""",
)
@click.version_option(package_name="onrecord", prog_name="onrecord")
def onrecord() -> None:
    """Keep a City's social media on the record."""


def run(child: Popen[bytes] | None = None) -> None:
    """Run the command; turn what went wrong into a sentence and an exit code. ``child`` is what ``onrecord sql`` has started already."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))  # what was begun is put in order on the way out
    try:
        sys.exit(onrecord(standalone_mode=False, obj=child) or 0)
    except click.exceptions.Exit as ended:
        sys.exit(ended.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted. Nothing was lost: run the same command again to go on.", err=True)
        sys.exit(130)
    except click.ClickException as problem:
        problem.show()
        sys.exit(problem.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except Exception as problem:  # noqa: BLE001 - the last place where an error can be put in words
        from cli.explain import explain

        sys.exit(explain(problem))
    finally:
        gc.freeze()  # the interpreter would look through all it loaded once more before it ends
