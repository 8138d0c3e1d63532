"""What the documentation says can be done can be done, and the settings it lists are those there are."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import commands
import msgspec
import pytest

import settings
from cli.group import onrecord

if TYPE_CHECKING:
    from collections.abc import Iterator

    from demo_fixtures import Demo

ROOT = commands.ROOT
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
PROGRAM = Path(sys.executable).with_name("onrecord")
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:\.venv/bin/)?onrecord [^`]+)`")


def shell_commands(text: str) -> Iterator[list[str]]:
    """The ``onrecord`` commands of a line or block, split as a shell does."""
    for line in text.splitlines():
        words = shlex.shlex(line, posix=True, punctuation_chars=";&")
        words.whitespace_split = True
        command: list[str] = []
        for word in [*words, ";"]:
            if set(word) <= {";", "&"}:
                if command and command[0].removeprefix(".venv/bin/") == "onrecord":
                    yield command[1:]
                command = []
            else:
                command.append(word)


def in_blocks() -> list[tuple[str, list[str]]]:
    return [
        (page.name, command)
        for page in PAGES
        for block in BLOCK.findall(page.read_text())
        for command in shell_commands(block)
    ]


def in_prose() -> list[tuple[str, list[str]]]:
    return [
        (page.name, command)
        for page in PAGES
        for text in INLINE.findall(page.read_text())
        for command in shell_commands(text)
    ]


@pytest.fixture(scope="module")
def words(demo: Demo) -> dict[str, str]:
    """What stands for the placeholders: accounts and a record of the sample city."""
    first, second = demo.sql(
        "SELECT DISTINCT author_handle FROM comments WHERE platform = 'bluesky' AND author_handle LIKE '%.example' "
        "AND author_handle NOT IN (SELECT handle FROM accounts) ORDER BY 1 LIMIT 2"
    )
    (record,) = demo.sql("SELECT record_id FROM edits ORDER BY 1 LIMIT 1")
    name, other = (re.sub(r"[^a-z0-9]+", "-", handle) for handle in (first, second))
    return {
        "HANDLE": first,
        "NAME": name,
        "RECORD_ID": record,
        "example.bsky.social": second,
        "example-bsky-social": other,
    }


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to work in, with the City's policy beside."""
    folder = tmp_path_factory.mktemp("desk")
    shutil.copytree(ROOT / "policy", folder / "policy")
    return folder


@pytest.mark.parametrize(
    ("page", "command"), in_blocks(), ids=lambda value: value if isinstance(value, str) else " ".join(value)
)
def test_a_command_in_the_documentation_runs_as_it_stands(
    demo: Demo, desk: Path, words: dict[str, str], page: str, command: list[str]
) -> None:
    del page
    arguments = [words.get(word, word) for word in command]
    if "--out" in arguments:
        shutil.rmtree(desk / arguments[arguments.index("--out") + 1], ignore_errors=True)
    if arguments[0] == "capture" and set(arguments) <= {"capture", "--due"}:
        arguments.append("parks")  # all of them, the library's dead token included, is what the demo did
    done = subprocess.run(
        [PROGRAM, *arguments], cwd=desk, env=demo.environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr


def test_the_documentation_shows_commands_of_every_page() -> None:
    pages = {page for page, _ in in_blocks()}
    assert pages >= {"README.md", "records-officer.md", "social-media-officer.md", "operator.md"}


@pytest.mark.parametrize(
    ("page", "command"), in_prose(), ids=lambda value: value if isinstance(value, str) else " ".join(value)
)
def test_a_command_named_in_a_sentence_exists_with_its_options(page: str, command: list[str]) -> None:
    del page
    one: click.Command = onrecord
    for word in command:
        if word == "--help":
            assert one.get_help_option(click.Context(one))
        elif isinstance(one, click.Group):
            found = one.get_command(click.Context(one), word)
            assert found is not None, word
            one = found
        elif word.startswith("--"):
            assert word in {name for option in one.params for name in option.opts}, word


def in_settings() -> dict[str, object]:
    """Variable -> default of every setting."""
    found: dict[str, object] = {}
    for field in msgspec.structs.fields(settings.Settings):
        name = f"ONRECORD_{field.name.upper()}"
        if isinstance(field.default, msgspec.Struct):
            for inner in msgspec.structs.fields(type(field.default)):
                found[f"{name}_{inner.name.upper()}"] = inner.default
        else:
            found[name] = field.default
    return found


def test_the_page_of_settings_lists_every_setting_and_no_other() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text()
    documented = {name for name in re.findall(r"ONRECORD_[A-Z0-9_]*[A-Z0-9]", text) if "_CREDENTIAL_" not in name}
    assert documented == {*in_settings(), "ONRECORD_ROOT", "ONRECORD_CONFIG"}


def test_the_page_of_settings_tells_their_defaults() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text()
    rows = re.findall(r"^\| .*? \| `(ONRECORD_\w+)` \| `([^`]+)` \|", text, re.MULTILINE)
    told = {name: default for name, default in rows if name != "ONRECORD_SERVICES"}
    defaults = in_settings()
    assert len(told) >= 10
    for name, default in told.items():
        assert default == (str(defaults[name]).lower() if isinstance(defaults[name], bool) else str(defaults[name]))


def test_every_file_and_page_the_documentation_leads_to_is_there() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), (page.name, target)


def test_the_documented_exit_codes_are_those_of_the_program() -> None:
    from cli import explain, findings

    told = (ROOT / "docs" / "operator.md").read_text().partition("## Exit codes")[2].partition("##")[0]
    codes = {int(code) for code in re.findall(r"(?:^|· )\s*(\d+) ", told, re.MULTILINE)}
    assert codes == {0, explain.FAULT_OF_OURS, 2, 130, findings.GRAVE, *explain.BY_CLASS.values()}
