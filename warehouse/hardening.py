"""How the embedded object store is closed: its keys, its configuration files and its command line.

SeaweedFS as it comes lets anyone on the machine around Object Lock by three doors, all measured. Each is closed here:

- the filer's and volume server's HTTP ports: signing keys in ``security.toml``, and ``-disableHttp``;
- the master's ``/col/delete``, which drops a whole bucket: ``-disableHttp``;
- gRPC, which ``weed shell`` uses: mutual TLS with certificates made here, whose authority's key is thrown away.

Besides: everything listens on loopback only, telemetry is off, buckets are never made or dropped by accident, and
WebDAV, the administration pages and the Iceberg and Lance catalogs are off. What stays open is the S3 port, with one generated key.
The server's maintenance worker gets no certificate and so never works: it would rewrite full volumes of evidence with erasure coding, which
nobody asked for and from which deleted bytes cannot be vacuumed.
None of this guards against who can read this user's files: on a shared machine use the City's own object store.
"""

from __future__ import annotations

import json
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.endpoint import Endpoint
from warehouse.private import private_folder, write_private

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

LOOPBACK = "127.0.0.1"
REGION = "us-east-1"
PARTS = ("master", "volume", "filer", "s3", "admin")
PORTS = tuple(f"{part}.{kind}" for part in PARTS for kind in ("port", "port.grpc"))
FLAGS = (
    f"-ip={LOOPBACK}",
    f"-ip.bind={LOOPBACK}",
    "-disableHttp",
    "-master.telemetry=false",
    "-s3.autoCreateBucket=false",
    "-s3.allowDeleteBucketNotEmpty=false",
    "-s3.iam.readOnly=true",
    "-s3.port.iceberg=0",
    "-s3.port.lance=0",
    "-webdav=false",
    "-admin.ui=false",
    "-volume.preStopSeconds=0",
    "-volume.max=5000",
    "-master.volumeSizeLimitMB=1024",
    "-debug=false",
)
_LOWEST_PORT = 10_240
_USUAL_FIRST_OUTGOING_PORT = 32_768
_CANDIDATES = 500
_GRPC_OFFSET = 10_000
_CERTIFIED = (*PARTS, "client")
_ACTIONS = ["Admin", "Read", "Write", "List", "Tagging"]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the embedded server's files lie under the program's ``home``."""

    home: Path

    @property
    def data(self) -> Path:
        """The server's volumes and metadata."""
        return self.home / "seaweed"

    @property
    def secrets(self) -> Path:
        """Keys and certificates."""
        return self.home / "secrets" / "seaweed"

    @property
    def logs(self) -> Path:
        """The server's logs, bounded by the server."""
        return self.home / "logs" / "seaweed"

    @property
    def state(self) -> Path:
        """Process id and ports while it runs; no secret."""
        return self.home / "seaweed.json"

    @property
    def ports(self) -> Path:
        """The ports of the last start, used again where they are free."""
        return self.data / "ports.json"

    @property
    def identities(self) -> Path:
        """The S3 key."""
        return self.secrets / "s3.json"


def prepare(layout: Layout, *, now: datetime) -> None:
    """Make folders, keys, certificates and configuration where they are missing. Existing secrets are kept.

    For one process at a time: certificates of two would not know each other.
    """
    for folder in (layout.home, layout.data, layout.home / "secrets", layout.secrets, layout.logs):
        private_folder(folder)
    if not layout.identities.exists():
        write_private(layout.identities, _identities())
    if not (layout.secrets / "security.toml").exists():
        from warehouse import certificates  # noqa: PLC0415 - cryptography is needed once in a server's life

        certificates.make(layout.secrets, now=now)
        write_private(layout.secrets / "security.toml", _security(layout.secrets))


def endpoint(layout: Layout, port: int) -> Endpoint:
    """The endpoint with the generated key, as read from the secrets."""
    identity = json.loads(layout.identities.read_bytes())["identities"][0]["credentials"][0]
    return Endpoint(f"http://{LOOPBACK}:{port}", REGION, identity["accessKey"], identity["secretKey"])


def command(layout: Layout, weed: Path, ports: Mapping[str, int]) -> list[str]:
    """The command line of the server."""
    return [
        str(weed),
        f"-config_dir={layout.secrets}",
        f"-logdir={layout.logs}",
        "-alsologtostderr=false",
        "-log_max_size_mb=8",
        "-log_max_files=2",
        "mini",
        f"-dir={layout.data}",
        f"-s3.config={layout.identities}",
        *FLAGS,
        *(f"-{name}={ports[name]}" for name in PORTS),
    ]


def shell_command(layout: Layout, weed: Path, ports: Mapping[str, int]) -> list[str]:
    """The command line of ``weed shell``, which presents the node certificate."""
    return [
        str(weed),
        f"-config_dir={layout.secrets}",
        f"-logdir={layout.logs}",
        "-alsologtostderr=false",
        "shell",
        *(f"-{part}={LOOPBACK}:{ports[f'{part}.port']}.{ports[f'{part}.port.grpc']}" for part in ("master", "filer")),
    ]


def free_ports(layout: Layout) -> dict[str, int]:
    """The ports of the last start if all are free, else new ones: other programs may have taken them since."""
    try:
        last = {name: int(port) for name, port in json.loads(layout.ports.read_bytes()).items()}
    except (OSError, ValueError):
        last = {}
    if set(last) == set(PORTS) and all(_is_free(port) for port in last.values()):
        return last
    return new_ports()


def new_ports() -> dict[str, int]:
    """Free loopback ports, one pair per part: its gRPC port is 10,000 above the other, as parts of the server assume.

    They lie below the range that outgoing connections take theirs from: a port of that range is lost to any
    connection of any program while the server is down.
    """
    candidates = secrets.SystemRandom().sample(range(_LOWEST_PORT, _first_outgoing_port() - _GRPC_OFFSET), _CANDIDATES)
    free = (port for port in candidates if _is_free(port) and _is_free(port + _GRPC_OFFSET))
    ports: dict[str, int] = {}
    for part, port in zip(PARTS, free, strict=False):
        ports |= {f"{part}.port": port, f"{part}.port.grpc": port + _GRPC_OFFSET}
    return ports


def _first_outgoing_port() -> int:
    try:
        first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except (OSError, ValueError):
        return _USUAL_FIRST_OUTGOING_PORT
    return first if first > _LOWEST_PORT + _GRPC_OFFSET + _CANDIDATES else _USUAL_FIRST_OUTGOING_PORT


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _identities() -> bytes:
    key = {"accessKey": f"ONRECORD{secrets.token_hex(6).upper()}", "secretKey": secrets.token_hex(24)}
    identity = {"name": "onrecord", "credentials": [key], "actions": _ACTIONS}
    return json.dumps({"identities": [identity]}, indent=2).encode()


def _security(folder: Path) -> bytes:
    from warehouse.certificates import AUTHORITY, CERTIFICATE, KEY  # noqa: PLC0415 - as above

    def quoted(text: object) -> str:
        return json.dumps(str(text))

    signing = [
        f"[jwt.{name}]\nkey = {quoted(secrets.token_hex(32))}\n"
        for name in ("signing", "signing.read", "filer_signing", "filer_signing.read")
    ]
    parts = [
        f"[grpc.{part}]\ncert = {quoted(folder / CERTIFICATE)}\nkey = {quoted(folder / KEY)}\n" for part in _CERTIFIED
    ]
    return "\n".join([*signing, f"[grpc]\nca = {quoted(folder / AUTHORITY)}\n", *parts]).encode()
