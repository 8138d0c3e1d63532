"""Every command explains itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from cli.group import COMMANDS, onrecord

if TYPE_CHECKING:
    from collections.abc import Iterator


def commands(group: click.Group = onrecord, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        one = group.get_command(context, name)
        assert one is not None
        yield (*path, name)
        if isinstance(one, click.Group):
            yield from commands(one, (*path, name))


@pytest.mark.parametrize("path", list(commands()), ids=" ".join)
def test_every_command_has_help_with_an_example_of_itself(path: tuple[str, ...]) -> None:
    for flag in ("--help", "-h"):
        shown = CliRunner().invoke(onrecord, [*path, flag])
        assert shown.exit_code == 0
    assert "Example" in shown.output
    assert f"onrecord {' '.join(path)}" in shown.output.partition("Example")[2]


def test_every_option_and_command_says_what_it_is() -> None:
    for path in commands():
        one: click.Command = onrecord
        for name in path:
            assert isinstance(one, click.Group)
            found = one.get_command(click.Context(one), name)
            assert found is not None
            one = found
        assert one.help
        for option in one.params:
            if isinstance(option, click.Option) and option.name != "help":
                assert option.help or option.prompt or isinstance(option.type, click.Choice), (path, option.name)


def test_the_list_of_commands_is_shown_without_loading_them() -> None:
    shown = CliRunner().invoke(onrecord, ["--help"])
    assert shown.exit_code == 0
    for name, (_, summary) in COMMANDS.items():
        assert name in shown.output
        assert summary.split()[0] in shown.output


@pytest.mark.parametrize("arguments", [["nonsense"], ["sql", "--nonsense"], ["audit", "nonsense"]])
def test_a_slip_of_the_keyboard_is_answered_with_usage(arguments: list[str]) -> None:
    ended = CliRunner().invoke(onrecord, arguments)
    assert ended.exit_code == 2
    assert "Usage" in ended.output
