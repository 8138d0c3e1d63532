"""How many posts and comments were probably created and deleted between two looks: an estimate with its interval.

What was never seen leaves no row, but what was seen and then vanished tells how short lives are. Of each item are known the age at
which it was first seen, and the two looks between which it vanished, or the last look at which it still stood. From that,

1. the share ``S(a)`` that lives longer than age ``a`` is fitted by maximum likelihood: interval-censored where it vanished,
   right-censored where it stands, and left-truncated at the age of the first look, since only what lives that long is ever seen;
2. an item first seen at age ``a`` stands for ``1 / S(a)`` items created, so the unseen are the sum of ``1 / S(a) - 1`` (the
   Horvitz-Thompson estimator of Huggins and Alho for capture-recapture);
3. three families of lifetimes are fitted and averaged by Akaike's weights, as no one knows the true one.

``docs/loss-estimate.md`` has the derivation, the assumptions, the sources and the simulation that tests it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import optimize, special

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    Numbers = npt.NDArray[np.float64]

SQL = Path(__file__).with_name("sql") / "lives.sql"
ENOUGH_GONE = 20
"""Below so many items that vanished, nothing is fitted to them."""
LEVEL_Z = 1.959964
"""Normal quantile of a 95 % interval."""
LEAST_SURVIVAL = 0.02
"""Where fewer live to their first look, what was seen stands for too many unseen to say how many."""
MOST = 10
"""Where the interval goes beyond so many times what was seen, it says nothing."""
TOO_FEW = f"cannot be estimated: fewer than {ENOUGH_GONE} were seen to vanish, on all accounts together"
TOO_SHORT = f"cannot be estimated: under {LEAST_SURVIVAL:.0%} live until they are first looked at. Look more often"
UNSETTLED = "cannot be estimated: the lifetimes that were seen leave the number open"
NOTES = {
    "own": "from the account's own lifetimes",
    "platform": "from the lifetimes on all accounts of the platform: too few of its own vanished",
    "all": "from the lifetimes on all accounts: too few vanished on the platform",
}
LEAST_UNSEEN = 0.01
"""Added to numbers whose logarithm is taken."""
WIDE_ODDS = 10.0
"""Standard deviation of a weak prior on the log odds of never vanishing: finite also where everything vanishes."""
_STEP = 1e-4


@dataclass(frozen=True, slots=True)
class Loss:
    """What is estimated for one account and kind."""

    account_id: str
    kind: str
    seen: int
    """Items published while the account was watched, and seen."""
    gone: int
    """Of these, how many vanished."""
    unseen: float | None
    """How many more were probably created and deleted between two looks; None: cannot be estimated."""
    low: float | None
    """Begin of the 95 % interval."""
    high: float | None
    """Its end."""
    basis: str
    """Whose lifetimes it rests on: own, platform or all; none where it cannot be estimated."""
    note: str
    """Why it cannot be estimated, or what to keep in mind."""


@dataclass(frozen=True, slots=True)
class Family:
    """A shape that lifetimes may have."""

    name: str
    share: Callable[[Numbers, Numbers], Numbers]
    """Share that lives on, by parameters and logarithm of age."""
    located: int
    """So many parameters, the first ones, are places on the logarithm of age."""
    starts: tuple[tuple[float, ...], ...]
    """Where a fit may begin; places as distances from the middle of the ages at which items vanished."""


def _standardized(parameters: Numbers, log_ages: Numbers) -> Numbers:
    location, log_scale = parameters
    return np.asarray((log_ages - location) / np.exp(log_scale))


def _two_phases(parameters: Numbers, log_ages: Numbers) -> Numbers:
    soon, late, odds = parameters
    share = special.expit(odds)
    return np.asarray(share * np.exp(-np.exp(log_ages - soon)) + (1 - share) * np.exp(-np.exp(log_ages - late)))


_SPREADS = ((0.0, 0.0), (0.0, 0.7))
FAMILIES = (
    Family("weibull", lambda at, ages: np.exp(-np.exp(_standardized(at, ages))), 1, _SPREADS),
    Family("log-normal", lambda at, ages: special.ndtr(-_standardized(at, ages)), 1, _SPREADS),
    Family("two-phase", _two_phases, 2, ((-2.0, 0.5, 0.0), (-3.0, 0.5, 1.0))),
)
"""Two log-location-scale families, and a mixture of two exponentials: some vanish soon, as slips are put right, others late."""


@dataclass(frozen=True, slots=True)
class Watched:
    """Lives as columns."""

    entry: Numbers
    lower: Numbers
    upper: Numbers
    """Infinite while the item stands."""
    items: Numbers

    @property
    def gone(self) -> int:
        """Items that vanished."""
        return int(self.items[np.isfinite(self.upper)].sum())


@dataclass(frozen=True, slots=True)
class Fit:
    """Lifetimes of one family, fitted; a share of all items never vanishes."""

    family: Family
    parameters: Numbers
    """The family's, then the log odds of never vanishing."""
    covariance: Numbers
    aic: float

    def survival(self, ages: Numbers, parameters: Numbers | None = None) -> Numbers:
        """Share that lives longer than these ages."""
        return _survival(self.family, self.parameters if parameters is None else parameters, ages)

    def log_unseen(self, seen: Watched) -> tuple[float, float]:
        """Logarithm of how many were missed beside these that were seen, and its variance.

        Two parts (Huggins 1989, Alho 1990): chance decided which ones were missed, and the survival is only estimated.
        """

        def missed(parameters: Numbers) -> float:
            return float(np.log(np.sum(seen.items * (1 / self.survival(seen.entry, parameters) - 1)) + LEAST_UNSEEN))

        share = self.survival(seen.entry)
        logarithm = missed(self.parameters)
        by_chance = np.sum(seen.items * (1 - share) / share**2) / np.exp(2 * logarithm)
        slope = _gradient(missed, self.parameters)
        return logarithm, float(np.log1p(by_chance) + slope @ self.covariance @ slope)


class Group(NamedTuple):
    """Whose lives: of an account, of all accounts of a platform (no account), or of all (neither)."""

    account_id: str | None
    platform: str | None
    kind: str
    """post or comment."""


def of_mart(mart: Path, account_id: str | None = None) -> list[Loss]:
    """The loss of each account and kind that a mart knows of, or of one account. Raises :class:`warehouse.query.QueryError`."""
    from warehouse import query  # noqa: PLC0415 - starts a process: only where it is asked

    table = query.ask(mart, SQL.read_text(encoding="utf-8"), params={"account_id": account_id}).table()
    rows: dict[Group, list[tuple[float, ...]]] = defaultdict(list)
    for account, platform, kind, entry, lower, upper, items in zip(*table.to_pydict().values(), strict=True):
        rows[Group(account, platform, kind)].append((entry, lower, np.inf if upper is None else upper, items))
    return estimates({group: Watched(*np.array(lives, float).T) for group, lives in rows.items()})


def estimates(groups: Mapping[Group, Watched]) -> list[Loss]:
    """The loss of each account and kind among the groups.

    Where too few of an account's items vanished, the lifetimes of all accounts of its platform stand in, then those of all accounts;
    ``basis`` says which. Where even those are too few, nothing is made up: ``unseen`` is None.
    """
    fitted = cache(lambda group: fits(groups[group]) if group in groups else [])
    return [_loss(group, lives, fitted) for group, lives in groups.items() if group.account_id is not None]


def _loss(group: Group, own: Watched, fitted: Callable[[Group], list[Fit]]) -> Loss:
    bases = {"own": group, "platform": group._replace(account_id=None), "all": Group(None, None, group.kind)}
    note = UNSETTLED if own.gone >= ENOUGH_GONE else TOO_FEW
    found = Loss(group.account_id or "", group.kind, int(own.items.sum()), own.gone, None, None, None, "none", note)
    for basis, wanted in bases.items():
        models = fitted(wanted)
        if not models:
            continue
        if min(model.survival(own.entry).min() for model in models) < LEAST_SURVIVAL:
            return replace(found, note=TOO_SHORT)
        unseen, low, high = average(models, own)
        if high > MOST * found.seen:
            return replace(found, note=UNSETTLED)
        return replace(found, unseen=unseen, low=low, high=high, basis=basis, note=NOTES[basis])
    return found


def average(models: Sequence[Fit], own: Watched) -> tuple[float, float, float]:
    """The number unseen and its 95 % interval, both on the logarithmic scale, as the number cannot be below nothing."""
    least = min(model.aic for model in models)
    weights = np.array([np.exp((least - model.aic) / 2) for model in models])
    weights /= weights.sum()
    logs = np.array([model.log_unseen(own) for model in models])
    unseen = float(weights @ logs[:, 0])
    deviation = float(weights @ np.sqrt(logs[:, 1] + (logs[:, 0] - unseen) ** 2))
    low, middle, high = (float(np.exp(unseen + z * deviation)) for z in (-LEVEL_Z, 0, LEVEL_Z))
    return middle, low, high


def fits(seen: Watched) -> list[Fit]:
    """Every family that can be fitted; none where too few vanished."""
    if seen.gone < ENOUGH_GONE:
        return []
    return [fit for family in FAMILIES if (fit := _fit(family, seen)) is not None]


def _fit(family: Family, seen: Watched) -> Fit | None:
    gone = np.isfinite(seen.upper)
    middle = np.average(np.log((seen.lower[gone] + seen.upper[gone]) / 2), weights=seen.items[gone])

    def against(parameters: Numbers) -> float:
        return _against(family, parameters, seen, gone)

    tried = []
    for start in family.starts:
        places = np.arange(len(start)) < family.located
        begin = np.append(np.array(start) + middle * places, 1.0)
        tried.append(optimize.minimize(against, begin, method="BFGS"))
    best = min(tried, key=lambda one: float(one.fun))
    covariance = _inverse(_curvature(against, best.x))
    if covariance is None or not np.isfinite(best.fun):
        return None
    return Fit(family, best.x, covariance, 2 * float(best.fun) + 2 * len(best.x))


def _survival(family: Family, parameters: Numbers, ages: Numbers) -> Numbers:
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        mortal = family.share(parameters[:-1], np.log(ages))
    lasting = special.expit(parameters[-1])
    return np.asarray(lasting + (1 - lasting) * mortal)


def _against(family: Family, parameters: Numbers, seen: Watched, gone: npt.NDArray[np.bool_]) -> float:
    """Negative log-likelihood, with the prior: between two looks, or beyond the last one, given that it lived to the first."""
    lower, upper, entry = (
        _survival(family, parameters, ages) for ages in (seen.lower, np.where(gone, seen.upper, 1.0), seen.entry)
    )
    there = np.maximum(np.where(gone, lower - upper, lower), 1e-300)
    likelihood = np.sum(seen.items * (np.log(there) - np.log(np.maximum(entry, 1e-300))))
    return float((parameters[-1] / WIDE_ODDS) ** 2 / 2 - likelihood)


def _gradient(value: Callable[[Numbers], float], at: Numbers) -> Numbers:
    steps = np.eye(len(at)) * _STEP
    return np.array([(value(at + step) - value(at - step)) / (2 * _STEP) for step in steps])


def _curvature(value: Callable[[Numbers], float], at: Numbers) -> Numbers:
    steps = np.eye(len(at)) * _STEP
    rows = [
        [value(at + a + b) - value(at + a - b) - value(at - a + b) + value(at - a - b) for b in steps] for a in steps
    ]
    return np.array(rows) / (4 * _STEP**2)


def _inverse(information: Numbers) -> Numbers | None:
    """The covariance, or None where the data do not settle the parameters."""
    if not np.all(np.isfinite(information)) or np.linalg.eigvalsh(information).min() <= 0:
        return None
    return np.asarray(np.linalg.inv(information))
