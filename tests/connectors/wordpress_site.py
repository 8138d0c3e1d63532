"""A real WordPress of one's own: a copy of the installed tree, driven by the scripts of the shared folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conftest import SHARED, require
from fault_proxy import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST = "news.city.example"


@dataclass(frozen=True)
class Site:
    root: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def users(self) -> dict[str, dict[str, Any]]:
        return json.loads((self.root / "info.json").read_text())["users"]

    @property
    def truth(self) -> dict[str, Any]:
        return json.loads((self.root / "truth.json").read_text())

    def run(self, step: str, **knobs: int) -> None:
        env = {
            **os.environ,
            "WP_ROOT": str(self.root),
            "PORT": str(self.port),
            "DB": "sqlite",
            "WORKERS": "3",
            **{name: str(value) for name, value in knobs.items()},
        }
        with (self.root / f"{step}.log").open("w") as log:
            done = subprocess.run(
                ["bash", str(script()), step], env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False
            )
        assert done.returncode == 0, (self.root / f"{step}.log").read_text()[-2000:]


def script() -> Path:
    assert SHARED is not None
    return SHARED / "platforms" / "wordpress" / "wordpress.sh"


def installed() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return cache / "real-platforms" / "wp-trixie-sqlite"


@contextmanager
def running_site(place: Path) -> Iterator[Site]:
    require(SHARED, "the scripts that run a real WordPress are not beside the project (ONRECORD_SHARED names them)")
    require(shutil.which("php"), "php, which WordPress needs, is not installed")
    require((installed() / "tree").is_dir(), "WordPress is not installed: run platforms/wordpress/wordpress.sh install")
    root = place / "wordpress"
    shutil.copytree(installed() / "tree", root / "tree", symlinks=True)
    shutil.copytree(installed() / "sqlite", root / "sqlite")
    drop_in = root / "tree/usr/share/wordpress/wp-content/db.php"
    drop_in.write_text(drop_in.read_text().replace(str(installed()), str(root)))
    (root / "tree/usr/share/wordpress/wp-config.php").unlink(missing_ok=True)
    site = Site(root, free_port())
    site.run("start")
    try:
        yield site
    finally:
        site.run("stop")
