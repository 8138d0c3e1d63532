"""A folder as a BagIt 1.0 bag (RFC 8493): what is in it, and hashes by which anyone can see that nothing was changed.

Written here because the bagit library writes version 0.97 and changes the working directory of the whole process; checked with that library,
which is what the one who receives the bag will use too.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import bagit

from compliance.production_faults import BagBroken

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

ALGORITHMS = ("sha256", "sha512")
_DECLARATION = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
_SPACE = re.compile(r"\s+")
_CHUNK = 1024 * 1024
_SIZES = ("bytes", "KB", "MB", "GB", "TB")


def seal(folder: Path, info: Mapping[str, str]) -> None:
    """Turn a folder with a ``data`` folder into a bag and check it. Raises :class:`BagBroken`.

    Other files in the folder become tag files. ``info`` goes to ``bag-info.txt``, with the payload's size added.
    """
    payload = sorted(path for path in (folder / "data").rglob("*") if path.is_file())
    size = sum(path.stat().st_size for path in payload)
    sizes = {"Payload-Oxum": f"{size}.{len(payload)}", "Bag-Size": readable(size)}
    (folder / "bagit.txt").write_text(_DECLARATION, encoding="utf-8", newline="\n")
    (folder / "bag-info.txt").write_text(_tags({**info, **sizes}), encoding="utf-8", newline="\n")
    _manifests(folder, "manifest", payload)
    _manifests(folder, "tagmanifest", sorted(path for path in folder.iterdir() if path.is_file()))
    check(folder)


def check(folder: Path) -> None:
    """Check every hash with the bagit library. Raises :class:`BagBroken`."""
    try:
        bagit.Bag(str(folder)).validate()
    except bagit.BagError as problem:
        msg = f"{folder} is not a whole bag: {problem}"
        raise BagBroken(msg) from problem


def readable(size: int) -> str:
    """``1.5 MB``."""
    amount = float(size)
    for unit in _SIZES:
        if amount < 1000 or unit == _SIZES[-1]:  # noqa: PLR2004  (the next unit begins there)
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    raise AssertionError


def _tags(info: Mapping[str, str]) -> str:
    return "".join(f"{name}: {_SPACE.sub(' ', value).strip()}\n" for name, value in info.items())


def _manifests(folder: Path, kind: str, files: Iterable[Path]) -> None:
    """One line per file and algorithm: hash, two spaces, path; ``sha256sum -c`` reads it too."""
    lines: dict[str, list[str]] = {algorithm: [] for algorithm in ALGORITHMS}
    for file in files:
        name = _encoded(file.relative_to(folder).as_posix())
        for algorithm, digest in _digests(file).items():
            lines[algorithm].append(f"{digest}  {name}\n")
    for algorithm, content in lines.items():
        (folder / f"{kind}-{algorithm}.txt").write_text("".join(content), encoding="utf-8", newline="\n")


def _digests(file: Path) -> dict[str, str]:
    """All hashes of a file in one reading."""
    digests = [hashlib.new(algorithm) for algorithm in ALGORITHMS]
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            for digest in digests:
                digest.update(chunk)
    return {digest.name: digest.hexdigest() for digest in digests}


def _encoded(name: str) -> str:
    """RFC 8493, 2.1.3: percent, carriage return and line feed are encoded."""
    return name.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
