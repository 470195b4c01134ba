"""How long what is kept: the periods of config.toml as moments before which a row is too old. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Periods:
    """Days; 0 keeps for ever."""

    raw_mail: int
    events: int
    inactive_contacts: int
    sessions: int


@dataclass(frozen=True)
class Limits:
    """Older than this goes; None: nothing does."""

    raw_mail: datetime | None
    events: datetime | None
    inactive_contacts: datetime | None
    sessions: datetime | None


def limits(periods: Periods, now: datetime) -> Limits:
    """Return the moments before which a row is too old."""
    return Limits(**{name: now - timedelta(days=days) if days else None for name, days in asdict(periods).items()})
