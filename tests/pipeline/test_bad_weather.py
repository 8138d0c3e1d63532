"""What goes wrong outside is a sentence and an exit code; nothing is half done, and the next run completes."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import commands
import pytest
from commands import ok, run
from conftest import require

from samplecity.server import City
from warehouse import gaps, inventory, ledger, seaweed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.workspace import Workspace

Environment = dict[str, str]


@pytest.fixture
def environment(workspace: Workspace, onrecord_environment: Environment) -> Environment:
    """An installation with its accounts registered, for processes of their own."""
    del workspace
    return onrecord_environment


def whole(workspace: Workspace) -> None:
    """No gap is open, nothing lies in the spool, and all evidence noted is in the bucket."""
    open_now = {gap.cause for gap in gaps.listing(workspace.engine, unclosed_only=True)}
    assert open_now <= {ledger.NOT_COVERED}
    assert list(workspace.spool.glob("*.warc.gz")) == []
    with workspace.storage() as storage:
        noted = {one.key for one in inventory.objects(workspace.engine)}
        assert noted == {item.key for item in storage.evidence.list("evidence/")}


@pytest.mark.parametrize(
    ("fault", "words", "outcome"),
    [
        ({"fault": "html"}, ("a web page",), "contract_broken"),
        ({"fault": "truncated"}, (), "unreachable"),
    ],
    ids=["html", "truncated"],
)
def test_a_platform_that_answers_nonsense_is_named_and_the_next_capture_completes(
    workspace: Workspace,
    environment: Environment,
    sample_city: City,
    fault: dict[str, object],
    words: tuple[str, ...],
    outcome: str,
) -> None:
    sample_city.faults({"path": "/statuses", "times": 0, **fault})
    ended = run(environment, "capture", "transit")
    ended.refused(4, "transit", *words)
    assert outcome in ended.out
    assert {gap.cause for gap in gaps.listing(workspace.engine, unclosed_only=True)} - {ledger.NOT_COVERED} == {outcome}
    sample_city.faults()
    ok(environment, "capture", "transit")
    whole(workspace)


def test_a_platform_that_is_down_is_named_and_the_other_accounts_are_captured(
    workspace: Workspace, environment: Environment
) -> None:
    elsewhere = " social.harborfalls.example=http://127.0.0.1:1"
    down = {**environment, "ONRECORD_SERVICES": environment["ONRECORD_SERVICES"] + elsewhere}
    ended = run(down, "capture", "public-works", "news")
    ended.refused(4, "public-works", "social.harborfalls.example")
    assert "unreachable" in ended.out
    looks = list(ledger.captures(workspace.engine))
    assert {look.outcome for look in looks if look.platform == "wordpress"} == {"complete"}
    ok(environment, "capture", "public-works")
    whole(workspace)


def test_a_wrong_key_of_the_object_store_is_refused_before_anything_is_asked(
    workspace: Workspace, environment: Environment, sample_city: City
) -> None:
    ended = run({**environment, "ONRECORD_S3_SECRET_KEY": "wrong" * 8}, "capture", "public-works")
    sentence = ended.refused(5, environment["ONRECORD_S3_ENDPOINT"].removeprefix("https://"))
    assert "wrongwrong" not in sentence
    assert sample_city.requests == []
    ok(environment, "capture", "public-works")
    whole(workspace)


def test_an_object_store_that_dies_in_the_middle_leaves_the_spool_and_the_next_run_locks_it(
    workspace: Workspace, environment: Environment, sample_city: City
) -> None:
    alone = {name: value for name, value in environment.items() if not name.startswith("ONRECORD_S3_")}
    server = seaweed.start(workspace.home)
    sample_city.faults({"fault": "slow", "seconds": 4, "path": "/context"})
    process = subprocess.Popen(
        commands.command("capture", "public-works"), cwd=commands.ROOT, env=alone, stderr=subprocess.PIPE, text=True
    )
    try:
        while process.poll() is None and not any("/context" in path for _, path, _ in sample_city.requests):
            if any(workspace.spool.glob("*.warc.gz")) and sample_city.desk.rules[0].fired:
                break
            time.sleep(0.01)
        server.stop()
        _, said = process.communicate(timeout=150)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 5, said
    assert "Traceback" not in said
    assert list(workspace.spool.glob("*.warc.gz"))
    sample_city.faults()
    ok(alone, "capture", "public-works")
    assert list(workspace.spool.glob("*.warc.gz")) == []
    assert seaweed.running(workspace.home) is None


def limited(size: int) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_a_file_that_may_not_grow_ends_a_capture_with_what_came_before_kept(
    workspace: Workspace, environment: Environment
) -> None:
    """A limit on the size of files stops a write in its middle, as a quota does."""
    done = subprocess.run(
        commands.command("capture", "news"),
        cwd=commands.ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: limited(400_000),
    )
    assert done.returncode == 5, (done.stdout, done.stderr)
    assert "disk" in done.stderr or "space" in done.stderr
    assert "Traceback" not in done.stderr
    ok(environment, "capture", "news")
    whole(workspace)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)], capture_output=True, check=False
    )
    require(made.returncode == 0, "only root can mount a small file system")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_is_named_by_every_step_and_room_mends_it(
    environment: Environment, workspace: Workspace, small_disk: Path
) -> None:
    database = f"sqlite:///{small_disk.parent / 'elsewhere.db'}"
    full = {**environment, "ONRECORD_HOME": str(small_disk / "var"), "ONRECORD_DATABASE_URL": database}
    ok(full, "accounts", "load", "policy/accounts.yaml")
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"-" * (os.statvfs(small_disk).f_bavail * 4096 - 4 * 4096))
    for step in (("capture", "news"), ("normalize",), ("mart", "build")):
        run(full, *step).refused(5, "space")
    ballast.unlink()
    ok(full, "capture", "news")
    assert list((small_disk / "var" / "spool").glob("*.warc.gz")) == []
    del workspace


def test_a_database_that_does_not_answer_is_named_without_its_password(environment: Environment) -> None:
    away = {**environment, "ONRECORD_DATABASE_URL": "postgresql+pg8000://onrecord:very-secret@127.0.0.1:1/onrecord"}
    for arguments in (("accounts", "list"), ("capture",), ("status",), ("sql", "SELECT 1")):
        ended = run(away, *arguments)
        assert ended.code in (3, 5)
        assert "very-secret" not in ended.err + ended.out
        assert "Traceback" not in ended.err
    run(away, "accounts", "list").refused(5, "127.0.0.1", "ONRECORD_DATABASE_URL")
    run({**environment, "ONRECORD_DATABASE_URL": "nonsense"}, "status").refused(5, "ONRECORD_DATABASE_URL")


def test_two_captures_of_one_account_at_once_do_not_meet(
    workspace: Workspace, environment: Environment, sample_city: City
) -> None:
    sample_city.faults({"fault": "slow", "seconds": 6, "path": "/statuses"})
    first = commands.begin(environment, "capture", "public-works")
    while not any(rule.fired for rule in sample_city.desk.rules) and first.poll() is None:
        time.sleep(0.02)
    run(environment, "capture", "public-works").refused(3, "mastodon:social.harborfalls.example")
    assert first.wait(60) == 0
    whole(workspace)


def test_an_interrupted_capture_says_so_calmly_and_the_next_one_goes_on(
    workspace: Workspace, environment: Environment, sample_city: City
) -> None:
    sample_city.faults({"fault": "slow", "seconds": 5, "path": "/context", "skip": 3})
    process = subprocess.Popen(
        commands.command("capture", "public-works"),
        cwd=commands.ROOT,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not any(rule.fired for rule in sample_city.desk.rules) and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.strip().splitlines()[-1].startswith("Interrupted.")
    assert "Traceback" not in said
    assert list(workspace.spool.glob("*.warc.gz")) == []
    ok(environment, "capture", "public-works")
    whole(workspace)


def test_settings_and_policy_that_are_wrong_are_named_by_place(environment: Environment, tmp_path: Path) -> None:
    run({**environment, "ONRECORD_COLOUR": "red"}, "status").refused(6, "colour", "docs/configuration.md")
    run({**environment, "ONRECORD_S3_LOCK_DAYS": "many"}, "status").refused(6, "lock_days")
    file = tmp_path / "onrecord.toml"
    written = {**environment, "ONRECORD_CONFIG": str(file)}
    file.write_text('[s3]\nsecret_key = "hush-hush"\n')
    assert "hush-hush" not in run(written, "status").refused(6, "s3.secret_key", "environment")
    file.write_text("[s3\n")
    run(written, "status").refused(6, str(file), "line 1")
    policy = tmp_path / "policy"
    policy.mkdir()
    for source in (commands.ROOT / "policy").glob("*.yaml"):
        (policy / source.name).write_text(source.read_text())
    accounts = policy / "accounts.yaml"
    accounts.write_text(accounts.read_text().replace("platform: bluesky", "platform: blusky", 1))
    line = accounts.read_text().splitlines().index("    platform: blusky") + 1
    broken = {**environment, "ONRECORD_POLICY": str(policy)}
    run(broken, "policy", "check").refused(6, f"accounts.yaml:{line}", "platform")
    run(environment, "accounts", "load", str(accounts)).refused(6, f"accounts.yaml:{line}", "platform")
    run(environment, "accounts", "load", str(tmp_path / "none.yaml")).refused(6, "none.yaml")


def test_what_is_not_there_is_a_sentence_that_says_what_to_do(environment: Environment) -> None:
    run(environment, "capture", "public-work").refused(3, "public-work", "public-works")
    run(environment, "capture", "brandt-personal").refused(3, "brandt-personal", "not approved")
    for asked in (("sql", "SELECT 1"), ("views",), ("show", "x:y"), ("audit", "retention")):
        run(environment, *asked).refused(3, "onrecord mart build")
    run(environment, "respond", "--request", "1", "--sql", "SELECT 1", "--out", "x").refused(3, "onrecord mart build")
    run({**environment, "ONRECORD_HOME": "/proc/none"}, "status").refused(5, "/proc/none")
