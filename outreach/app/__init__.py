"""Builds everything once from the configuration; the only place that knows all stages."""

from outreach.app.build import App, open_app
from outreach.app.clock import utc_now

__all__ = ["App", "open_app", "utc_now"]
