"""What can go wrong when records are handed over, one class per way to recover.

::

    ProductionError
    ├── NotAnswerable   the query does not name records, or names none   change the query
    ├── PlaceTaken      the folder is not empty, or cannot be made       name another folder
    └── BagBroken       the written package does not match its hashes    look at the disk, write it again

Faults of the query are :class:`warehouse.query.QueryError`, of evidence and disk :class:`warehouse.faults.WarehouseError`.
"""

from __future__ import annotations

from compliance.faults import ComplianceError


class ProductionError(ComplianceError):
    """A package was not written; nothing is left of it."""


class NotAnswerable(ProductionError):
    """The query does not name records, or names none."""


class PlaceTaken(ProductionError):
    """The package cannot go where it was to go."""


class BagBroken(ProductionError):
    """The bag does not hold what its manifests say."""
