"""The database's revisions. Light on purpose: comparing :data:`HEAD` needs neither SQLAlchemy nor Alembic."""

from __future__ import annotations

HEAD = "0005"
"""The newest revision in ``versions/``: what an up-to-date database holds in ``alembic_version``."""
