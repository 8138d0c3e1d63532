"""The city's control desk: move on to the next moment, order faults, act, ask for the truth.

::

    POST /control/advance                         the next moment of the script happens
    POST /control/advance  {"script": false}      a moment of its own: what the acts did so far counts as one step
    POST /control/faults   {"rules": [...]}       these rules replace the ones before (see faults.py)
    POST /control/act      {"act": "edit", ...}   one act, or a list of them (see acts.py)
    POST /control/reset                           moment 0 again, no faults
    GET  /control/truth                           what an archive must say
    GET  /control/requests                        what was asked so far: method, path, status
"""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from samplecity import acts, faults, life
from samplecity.messages import Request, Response, as_json
from samplecity.moments import MOMENTS
from samplecity.truth import Chronicle
from samplecity.world import World, WorldError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

KEPT_REQUESTS = 50_000


class Desk:
    """The state of one run: the world, the script's place, the faults ordered.

    Args:
        now: a fixed time for moment 0, each later moment an hour after the one before; ``None``: the real clock.
        seed: another city with the same script.
        moments: when the moments of an earlier run happened: they happen again at once, to the last id.
    """

    def __init__(self, now: datetime | None = None, seed: int = 7, moments: Sequence[datetime] = ()) -> None:
        self.fixed_now = now
        self.seed = seed
        self._past = tuple(moments)
        self.requests: deque[tuple[str, str, int]] = deque(maxlen=KEPT_REQUESTS)
        self.rules: list[faults.Rule] = []
        self.world: World
        self.reset()

    def reset(self) -> None:
        """Moment 0 again."""
        self._acts = self._played = 0
        now = self._past[0] if self._past else self.fixed_now or datetime.now(UTC)
        self.world, self.cast = life.begin(now, self.seed)
        self.chronicle = Chronicle()
        self.chronicle.note(self.world, now)
        self.rules = []
        self.requests.clear()
        for at in self._past[1:]:
            self.advance(at=at)

    @property
    def moments(self) -> tuple[datetime, ...]:
        """When the moments so far happened."""
        return tuple(snapshot.at for snapshot in self.chronicle.snapshots)

    @property
    def is_touched(self) -> bool:
        """Whether anything happened since the beginning."""
        return bool(self._acts or self.world.moment or self.rules)

    def advance(self, *, script: bool = True, at: datetime | None = None) -> int:
        """Let the next moment happen; returns its number. Without ``script``, or once the script has ended, only the acts count."""
        with self.world.lock:
            at = at or self._time(timedelta(hours=self.world.moment + 1))
            if script and self._played < len(MOMENTS):
                MOMENTS[self._played](self.world, self.cast, at)
                self._played += 1
            self.world.moment += 1
            self.chronicle.note(self.world, at)
            return self.world.moment

    def order_faults(self, rules: list[Mapping[str, Any]]) -> None:
        """Replace the rules. Raises :class:`faults.FaultError`."""
        self.rules = [faults.rule(order) for order in rules]

    def act(self, *orders: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Do these acts now. Raises :class:`WorldError`."""
        done = []
        with self.world.lock:
            for order in orders:
                self._acts += 1
                elapsed = timedelta(hours=self.world.moment, minutes=2, milliseconds=self._acts)
                done.append(acts.perform(self.world, self.cast, order, self._time(elapsed)))
        return done

    def truth(self) -> dict[str, Any]:
        """What the platforms showed at each moment and what changed. Acts count from the next moment on."""
        with self.world.lock:
            return self.chronicle.truth(self.world)

    def answer(self, request: Request) -> Response:
        """The desk over HTTP."""
        call = {
            ("POST", "/advance"): lambda: self._advance(request.json()),
            ("POST", "/faults"): lambda: self._faults(request.json()),
            ("POST", "/act"): lambda: {"done": self.act(*_listed(request.json()))},
            ("POST", "/reset"): self._reset,
            ("GET", "/truth"): self.truth,
            ("GET", "/requests"): lambda: {"requests": [list(held) for held in self.requests]},
        }.get((request.method, request.path))
        if call is None:
            return as_json({"error": f"no {request.method} {request.path} here", "help": __doc__}, 404)
        return _carefully(call)

    def _advance(self, order: Any) -> dict[str, Any]:  # noqa: ANN401 - what the client sent
        script = order.get("script", True) if isinstance(order, dict) else True
        return {"moment": self.advance(script=bool(script))}

    def _reset(self) -> dict[str, Any]:
        self.reset()
        return {"moment": self.world.moment}

    def _faults(self, order: Any) -> dict[str, Any]:  # noqa: ANN401 - what the client sent
        self.order_faults(order.get("rules", []) if isinstance(order, dict) else order)
        return {"rules": len(self.rules)}

    def _time(self, elapsed: timedelta) -> datetime:
        return self.fixed_now + elapsed if self.fixed_now else datetime.now(UTC)


def _listed(order: Any) -> list[Mapping[str, Any]]:  # noqa: ANN401 - what the client sent
    return order if isinstance(order, list) else [order]


def _carefully(call: Callable[[], Any]) -> Response:
    try:
        return as_json(call())
    except (WorldError, faults.FaultError) as problem:
        return as_json({"error": str(problem)}, 400)
