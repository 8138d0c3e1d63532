"""The child process that runs one person's SQL and nothing else.

Started by :mod:`warehouse.query` with an empty environment and, as arguments, the folders to import from. It loads its libraries, reads
one JSON request from standard input, writes the answer as an Arrow IPC stream to standard output and, where it fails, one JSON line to
standard error. It imports nothing of this project: what it does not know it cannot give away. Its walls stand before the mart is opened.

Walls, outermost first: the parent's kill timer; limits of the operating system (memory, CPU, no byte to any file); a
database opened read-only, without access to files, network or extensions, its settings locked; exactly one SELECT; table
functions by an allow-list, because some of them act (``enable_logging``) or read memory by address (``arrow_scan``).
"""

from __future__ import annotations

import json
import os
import resource
import sys
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLE_FUNCTIONS = frozenset(
    {
        "range",
        "generate_series",
        "unnest",
        "repeat",
        "repeat_row",
        "json_each",
        "json_tree",
        "histogram",
        "histogram_values",
        "summary",
        "duckdb_tables",
        "duckdb_views",
        "duckdb_columns",
        "duckdb_functions",
        "pragma_table_info",
        "icu_calendar_names",
        "pg_timezone_names",
    }
)
"""The table functions people may use, besides the mart's own macros."""

FORBIDDEN_FUNCTIONS = frozenset({"write_log", "sleep_ms", "pg_sleep", "getenv", "nextval", "currval", "setseed"})
"""Scalar functions that act, wait, or tell of the machine."""

_MACROS = "SELECT lower(function_name) FROM duckdb_functions() WHERE NOT internal AND function_type = 'table_macro'"
UNWANTED = frozenset({"numpy", "pandas"})
"""Libraries that DuckDB and pyarrow load where they find them, for more than half a second, and do without where they do not."""

_ROWS_PER_BATCH = 8192
_MEBIBYTE = 1024 * 1024


class Refused(Exception):
    """The SQL is not a question to the mart."""


class Lean:
    """To Python's import, what is unwanted is not installed. ``onrecord sql`` uses it for itself, too."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        """Refuse what is unwanted, leave the rest to the next finder."""
        del path, target
        if name in UNWANTED:
            msg = f"No module named {name!r}: a question is answered without it"
            raise ModuleNotFoundError(msg, name=name)


def main() -> None:
    """Load what is needed, read the request, answer it, say what went wrong."""
    answer = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nothing else may write between the batches
    sys.path[:] = sys.argv[1:]
    _load()
    question = sys.stdin.read()
    if not question:
        return  # who was going to ask has gone
    request = json.loads(question)
    _confine(request)
    try:
        _answer(request, answer)
    except Refused as problem:
        _fail("refused", str(problem))
    except MemoryError:
        _fail("memory", "")
    except Exception as problem:  # noqa: BLE001  (whatever the database raises is told to the parent by name)
        _fail(type(problem).__name__, str(problem))


def _load() -> None:
    """Import what every question needs, while the one who asks is still busy with other things."""
    sys.meta_path.insert(0, Lean())
    import _duckdb  # noqa: F401, PLC0415  (the compiled half of duckdb: the other half costs 60 ms and is not needed)
    import pyarrow.ipc  # noqa: F401, PLC0415


def _confine(request: dict[str, Any]) -> None:
    """Give up what the query does not need. The limits cannot be raised again."""
    memory = request["address_space_mebibytes"] * _MEBIBYTE
    for limit, wanted, grace in (
        (resource.RLIMIT_AS, memory, 0),
        (resource.RLIMIT_CPU, request["cpu_seconds"], 1),  # a second more, so that the signal tells which limit it was
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_NOFILE, 64, 0),
    ):
        _soft, hard = resource.getrlimit(limit)
        highest = wanted + grace if hard == resource.RLIM_INFINITY else min(wanted + grace, hard)
        resource.setrlimit(limit, (min(wanted, highest), highest))


def _answer(request: dict[str, Any], answer: int) -> None:
    connection = _open(request)
    _inspect(connection, request["sql"])
    _send(connection.execute(request["sql"], request["params"] or None).to_arrow_reader(_ROWS_PER_BATCH), answer)


def _open(request: dict[str, Any]) -> Any:  # noqa: ANN401  (a database connection, imported late)
    """The mart, with everything shut that is not needed to read it."""
    import _duckdb  # noqa: PLC0415  (the compiled half of duckdb: the other half costs 60 ms and is not needed)

    connection = _duckdb.connect(
        request["mart"],
        read_only=True,
        config={
            "memory_limit": f"{request['memory_mebibytes']}MiB",
            "threads": request["threads"],
            "temp_directory": "",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "python_enable_replacements": False,
        },
    )
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(
        "SET enable_external_access = false"
    )  # only now: it forbids to give up the folder for temporary files
    connection.execute("SET lock_configuration = true")
    return connection


def _send(reader: Any, answer: int) -> None:  # noqa: ANN401  (an Arrow reader, imported by the database)
    import pyarrow.ipc  # noqa: PLC0415  (loaded by the line before)

    with os.fdopen(answer, "wb") as pipe:
        try:
            with pyarrow.ipc.new_stream(pipe, reader.schema) as stream:
                for batch in reader:
                    stream.write_batch(batch)
            pipe.flush()
        except BrokenPipeError:
            os._exit(0)  # the parent has seen enough


def _inspect(connection: Any, sql: str) -> None:  # noqa: ANN401  (a database connection, imported late)
    """Let one SELECT through whose functions are allowed. Raises :class:`Refused`."""
    statements = connection.extract_statements(sql)
    if len(statements) != 1:
        kinds = ", ".join(statement.type.name for statement in statements) or "nothing"
        hint = " (a PIVOT must name its values after IN)" if "CREATE" in kinds else ""
        msg = f"exactly one SELECT is answered at a time; this is {kinds}{hint}"
        raise Refused(msg)
    kind = statements[0].type.name
    if kind != "SELECT":
        msg = f"{kind} is not possible here: the mart is read-only, and only SELECT (also WITH, FROM, DESCRIBE, SUMMARIZE) is answered"
        raise Refused(msg)
    [[text]] = connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchall()
    tree = json.loads(text)
    if tree.get("error"):
        msg = f"this SELECT cannot be checked: {tree.get('error_message')}"
        raise Refused(msg)
    _functions(connection, tree)


def _functions(connection: Any, tree: Any) -> None:  # noqa: ANN401  (parsed SQL)
    tables, scalars = set(), set()
    for node in _nodes(tree):
        if node.get("type") == "TABLE_FUNCTION":
            tables.add(str((node.get("function") or {}).get("function_name")).lower())
        elif "function_name" in node:
            scalars.add(str(node["function_name"]).lower())
    unknown = tables - TABLE_FUNCTIONS
    if unknown:
        unknown -= {name for (name,) in connection.execute(_MACROS).fetchall()}
    for name in sorted(unknown | (scalars & FORBIDDEN_FUNCTIONS)):
        msg = f"the function {name}() is not allowed here: questions go to the mart's tables and views, not to files or settings"
        raise Refused(msg)


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401  (parsed SQL)
    """Every object in the parsed SQL; a stack of our own, so that deep nesting ends in an answer, not a crash."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)


def _fail(kind: str, message: str) -> NoReturn:
    sys.stderr.write(json.dumps({"kind": kind, "message": message[:8000]}) + "\n")
    sys.stderr.flush()
    os._exit(1)


if __name__ == "__main__":
    main()
    os._exit(0)  # nothing to tidy up, and taking the database down politely costs 20 ms
