"""Reading one YAML file into typed values, with the file and line of everything that is wrong.

Values are frozen ``msgspec`` structs. Every error is collected, none hides the next: a wrong item of a list stands as ``None``
in its place, so that the checks that follow can leave it out and still number the others rightly.
"""

from __future__ import annotations

import types
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec
import yaml

from compliance.faults import PolicyBroken

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_PROBLEMS = 20
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_T = TypeVar("_T")
_WRONG = object()


@dataclass(slots=True)
class Problems:
    """Everything wrong that was found, in order."""

    found: list[str] = field(default_factory=list)

    def add(self, file: Path, line: int, where: str, what: str) -> None:
        """Note an error at a line (counting from 1) and field."""
        self.found.append(f"{file}:{line}: {where + ': ' if where else ''}{what}")

    def check(self) -> None:
        """Raise :class:`PolicyBroken` if anything was found."""
        if self.found:
            raise PolicyBroken(self.found[:MOST_PROBLEMS], left_out=max(0, len(self.found) - MOST_PROBLEMS))


@dataclass(slots=True)
class Source:
    """One file: its values' lines by path, such as ``accounts[2].platform``."""

    file: Path
    problems: Problems
    lines: dict[str, int] = field(default_factory=dict)
    _nodes: set[int] = field(default_factory=set)

    def wrong(self, where: str, what: str) -> None:
        """Note an error at a path; an unknown path counts as its nearest known parent."""
        at = where
        while at and at not in self.lines:
            at = at.rpartition("." if at.rfind(".") > at.rfind("[") else "[")[0]
        self.problems.add(self.file, self.lines.get(at, 1), where, what)

    def read(self, kind: type[_T]) -> _T | None:
        """Read the file as this struct; ``None`` if it is wrong, with the errors noted."""
        node = self._compose()
        if node is None:
            return None
        value = self._value(node, kind, "")
        return value if isinstance(value, kind) else None

    def _compose(self) -> yaml.Node | None:
        try:
            node = yaml.compose(self.file.read_text("utf-8"), Loader=_Loader)
        except FileNotFoundError:
            self.problems.add(self.file, 1, "", "the file is missing")
        except (OSError, UnicodeDecodeError) as problem:
            self.problems.add(self.file, 1, "", f"the file cannot be read: {problem}")
        except yaml.YAMLError as problem:
            mark = getattr(problem, "problem_mark", None)
            said = getattr(problem, "problem", None) or str(problem).partition("\n")[0]
            self.problems.add(self.file, mark.line + 1 if mark else 1, "", f"not YAML: {said}")
        else:
            if node is None:
                self.problems.add(self.file, 1, "", "the file is empty")
            return node
        return None

    def _value(self, node: yaml.Node, kind: object, where: str) -> object:
        self.lines[where] = node.start_mark.line + 1
        if id(node) in self._nodes:
            self.wrong(where, "is an alias of another value; write it out")
            return _WRONG
        self._nodes.add(id(node))
        if get_origin(kind) in (Union, types.UnionType):
            kind = _member(node, kind)
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return self._struct(node, kind, where)
        if get_origin(kind) is tuple:
            return self._list(node, get_args(kind)[0], where)
        return self._scalar(node, kind, where)

    def _struct(self, node: yaml.Node, kind: type[msgspec.Struct], where: str) -> object:
        if not isinstance(node, yaml.MappingNode):
            self.wrong(where, f"must be a mapping, not {_shown(node)}")
            return _WRONG
        known = {one.encode_name: one for one in msgspec.structs.fields(kind)}
        values: dict[str, Any] = {}
        for key, child, path in self._pairs(node, where):
            if key not in known:
                self.wrong(path, f"unknown field; known are {', '.join(known)}")
                continue
            values[known[key].name] = self._value(child, known[key].type, path)
        for name, one in known.items():
            if one.required and one.name not in values:
                self.wrong(f"{where}.{name}" if where else name, "is missing")
                values[one.name] = _WRONG
        return _WRONG if any(value is _WRONG for value in values.values()) else kind(**values)

    def _pairs(self, node: yaml.MappingNode, where: str) -> Iterator[tuple[str, yaml.Node, str]]:
        seen: set[str] = set()
        for key_node, child in node.value:
            key = str(key_node.value)
            path = f"{where}.{key}" if where else key
            self.lines.setdefault(path, key_node.start_mark.line + 1)
            if key in seen:
                self.problems.add(
                    self.file, key_node.start_mark.line + 1, path, f"is given twice, first in line {self.lines[path]}"
                )
                continue
            seen.add(key)
            yield key, child, path

    def _list(self, node: yaml.Node, kind: object, where: str) -> object:
        if not isinstance(node, yaml.SequenceNode):
            self.wrong(where, f"must be a list, not {_shown(node)}")
            return _WRONG
        values = [self._value(child, kind, f"{where}[{number}]") for number, child in enumerate(node.value)]
        return tuple(None if value is _WRONG else value for value in values)

    def _scalar(self, node: yaml.Node, kind: object, where: str) -> object:
        if not isinstance(node, yaml.ScalarNode):
            self.wrong(where, f"must be {_named(kind)}, not {_shown(node)}")
            return _WRONG
        try:
            value = msgspec.convert(_constructed(node), kind)
        except (msgspec.ValidationError, ValueError):
            verb = "is not" if get_origin(kind) is Literal else "must be"
            self.wrong(
                where,
                f"{_shown(node)} {verb} {_named(kind)}"
                if verb == "is not"
                else f"{verb} {_named(kind)}, not {_shown(node)}",
            )
            return _WRONG
        if value == "":
            self.wrong(where, "is empty; leave the field out instead")
            return _WRONG
        return value


def _constructed(node: yaml.ScalarNode) -> object:
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_object(node)
    finally:
        loader.dispose()


def _member(node: yaml.Node, union: object) -> object:
    """The member of a union that suits the node's form."""
    members = [one for one in get_args(union) if one is not types.NoneType]
    structs = [one for one in members if isinstance(one, type) and issubclass(one, msgspec.Struct)]
    others = [one for one in members if one not in structs]
    if structs and (isinstance(node, yaml.MappingNode) or not others):
        return structs[0]
    return others[0]


def _named(kind: object) -> str:
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(str(one) for one in get_args(kind))
    names = {
        "str": "a text (in quotes if it looks like a number or date)",
        "int": "a whole number",
        "bool": "true or false",
        "date": "a date such as 2026-01-31",
    }
    name = getattr(kind, "__name__", str(kind))
    return names.get(name, name)


def _shown(node: yaml.Node) -> str:
    if isinstance(node, yaml.ScalarNode):
        return f"'{node.value}'" if node.value else "nothing"
    return "a list" if isinstance(node, yaml.SequenceNode) else "a mapping"
