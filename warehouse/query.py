"""SQL from people: one question to the mart, answered by a child process that can do nothing else.

::

    QueryError
    ├── NoMart       there is no mart yet                        build it
    ├── Refused      not one SELECT, or a function not allowed   ask another way
    ├── BadSQL       the database does not understand it         correct it
    ├── TimedOut     it ran longer than allowed                  narrow it, or allow more
    ├── TooMuch      its answer or memory passed the limit       narrow it, or allow more
    └── ChildDied    the child ended without an answer           report it

The child begins to work in :func:`start`; what the caller does before :meth:`Running.answer` happens beside it. Who knows that a
question will come starts it earlier, with :func:`warehouse.query_process.prepare`: it then has its libraries loaded when the question
arrives. This module imports nothing heavy, so that a question is not kept waiting by the one who asks.
"""

from __future__ import annotations

import contextlib
import json
import re
import signal
import time
from dataclasses import dataclass
from threading import Timer
from typing import IO, TYPE_CHECKING, ClassVar, Self, TypeVar, cast

from warehouse.faults import WarehouseError
from warehouse.query_process import prepare

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from types import TracebackType

    import pyarrow as pa

T = TypeVar("T")
Parameter = str | int | float | bool | None
_OVERHEAD_MEBIBYTES = 2048
"""Address space for the interpreter, its libraries and threads, above what the database may use."""
_NOT_OURS = re.compile(r'\nDid you mean "(?:pg_|duckdb_|sqlite_|pragma_|information_schema)[^\n]*')


class QueryError(WarehouseError):
    """A question got no answer. ``exit_code`` is what the command line ends with."""

    code = "query_error"
    exit_code: ClassVar[int] = 1


class NoMart(QueryError):
    """There is nothing to ask yet."""

    code = "no_mart"
    exit_code = 3


class Refused(QueryError):
    """The SQL is not a question to the mart."""

    code = "refused"
    exit_code = 2


class BadSQL(QueryError):
    """The database does not understand the SQL, or the SQL fails on the data."""

    code = "bad_sql"
    exit_code = 2


class TimedOut(QueryError):
    """The question ran longer than it may."""

    code = "timed_out"
    exit_code = 3


class TooMuch(QueryError):
    """The answer, or the memory it needs, is larger than it may be."""

    code = "too_much"
    exit_code = 3


class ChildDied(QueryError):
    """The child process ended without an answer."""

    code = "child_died"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one question may cost."""

    seconds: float = 60
    """Time spent waiting for the answer; what the reader does with it does not count."""
    rows: int = 10_000_000
    bytes: int = 4 * 1024**3
    """Size of the answer in memory, summed over its batches."""
    memory_mebibytes: int = 1024
    """Memory the database may use for the question."""
    threads: int = 2

    @property
    def cpu_seconds(self) -> int:
        """What all threads may burn together, should the one who asked be gone."""
        return int(self.seconds * self.threads) + 5


def ask(mart: Path, sql: str, *, params: Mapping[str, Parameter] | None = None, limits: Limits | None = None) -> Answer:
    """Ask the mart one question. Close the answer, or use it as a context manager.

    ``params`` are bound to ``$name`` in the SQL, never put into its text. Raises :class:`QueryError`: here for what shows at once,
    while the answer is read for what shows later.
    """
    return start(mart, sql, params=params, limits=limits).answer()


def start(
    mart: Path,
    sql: str,
    *,
    params: Mapping[str, Parameter] | None = None,
    limits: Limits | None = None,
    child: subprocess.Popen[bytes] | None = None,
) -> Running:
    """Give the question to the child process, a new one unless one was prepared, and return at once. Raises :class:`NoMart`."""
    if not mart.is_file():
        msg = f"there is no mart at {mart} yet: run `onrecord mart build`"
        raise NoMart(msg)
    limits = limits or Limits()
    process = child or prepare()
    request = {
        "mart": str(mart.resolve()),
        "sql": sql,
        "params": dict(params or {}),
        "memory_mebibytes": limits.memory_mebibytes,
        "address_space_mebibytes": limits.memory_mebibytes + _OVERHEAD_MEBIBYTES,
        "cpu_seconds": limits.cpu_seconds,
        "threads": limits.threads,
    }
    with contextlib.suppress(BrokenPipeError), cast("IO[bytes]", process.stdin) as pipe:
        pipe.write(json.dumps(request).encode())
    return Running(process, limits)


class Running:
    """A question on its way."""

    def __init__(self, process: subprocess.Popen[bytes], limits: Limits) -> None:
        self.limits = limits
        self._process = process
        self._begun = time.monotonic()
        self._left = limits.seconds
        self._late = False

    def answer(self) -> Answer:
        """Wait until the answer begins. Raises :class:`QueryError`."""
        import pyarrow.ipc  # noqa: PLC0415  (loaded while the child works)

        try:
            return Answer(self, self.wait(lambda: pyarrow.ipc.open_stream(self._process.stdout)))
        except BaseException:
            self.stop()
            raise

    def wait(self, read: Callable[[], T]) -> T:
        """Read from the child within the time that is left. Raises :class:`QueryError`."""
        timer = Timer(max(self._left, 0.001), self._expire)
        timer.start()
        begun = time.monotonic()
        try:
            return read()
        except (OSError, ValueError):  # the stream breaks off: pyarrow's errors are among these
            raise self._problem() from None
        finally:
            timer.cancel()
            self._left -= time.monotonic() - begun

    def finish(self) -> None:
        """Hear how the child ended. Raises :class:`QueryError` unless it ended well."""
        if self.wait(self._process.wait) or self._late:
            raise self._problem()

    def stop(self) -> None:
        """End the child, whatever it is doing."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    @property
    def elapsed_seconds(self) -> float:
        """Time since the question was asked."""
        return time.monotonic() - self._begun

    def _expire(self) -> None:
        self._late = True
        self._process.kill()

    def _problem(self) -> QueryError:
        last = self._process.stderr.read() if self._process.stderr else b""
        code = self._process.wait()
        if self._late or code == -signal.SIGXCPU:
            return TimedOut(
                f"the question took longer than {self.limits.seconds:g} seconds and was stopped: ask for a shorter period or"
                " fewer accounts, or allow more time"
            )
        try:
            told = json.loads(last.splitlines()[-1])
            return _told(told["kind"], told["message"], self.limits)
        except (ValueError, LookupError, TypeError):
            how = signal.Signals(-code).name if code < 0 else f"code {code}"
            return ChildDied(
                f"the process that answers the question ended without an answer ({how}); try a smaller question"
            )


def _told(kind: str, message: str, limits: Limits) -> QueryError:
    """The error for what the child said."""
    if kind == "refused":
        return Refused(message)
    if kind in {"memory", "OutOfMemoryException", "MemoryError", "ArrowMemoryError"}:
        return TooMuch(
            f"the question needs more than {limits.memory_mebibytes:,} MiB of memory: ask for fewer columns, a shorter period"
            " or fewer groups, or allow more memory"
        )
    clear = _NOT_OURS.sub("", message).strip()
    if kind in {"CatalogException", "BinderException"}:
        clear += "\n`onrecord views` lists the tables and columns that can be asked."
    return BadSQL(clear)


class Answer:
    """Rows on their way: an iterator of Arrow batches that reads no more than the limits allow."""

    def __init__(self, running: Running, reader: pa.RecordBatchReader) -> None:
        self._running = running
        self._reader = reader
        self.schema: pa.Schema = reader.schema
        self.rows = 0
        """Rows read so far."""
        self.seconds: float | None = None
        """From the question to the end of the answer; None until it was read."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        size = 0
        while (batch := self._running.wait(self._next)) is not None:
            self.rows += batch.num_rows
            size += batch.nbytes
            self._check(size)
            yield batch
        self._running.finish()
        self.seconds = self._running.elapsed_seconds

    def table(self) -> pa.Table:
        """The whole answer in memory. Raises :class:`QueryError`."""
        import pyarrow as pa  # noqa: PLC0415  (loaded already)

        with self:
            return pa.Table.from_batches(list(self), schema=self.schema)

    def close(self) -> None:
        """Want no more: end the child."""
        self._running.stop()

    def _next(self) -> pa.RecordBatch | None:
        try:
            return self._reader.read_next_batch()
        except StopIteration:
            return None

    def _check(self, size: int) -> None:
        limits = self._running.limits
        if self.rows > limits.rows:
            msg = f"the answer has more than {limits.rows:,} rows: narrow the question, add LIMIT, or allow more rows"
            raise TooMuch(msg)
        if size > limits.bytes:
            msg = f"the answer is larger than {limits.bytes // 1024**2:,} MiB: narrow the question, or ask for fewer columns"
            raise TooMuch(msg)
