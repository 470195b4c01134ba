"""Numbers that several pages share."""

from __future__ import annotations

from datetime import timedelta

#: A reply whose task is not there yet counts a working day of eight hours (D4).
ANSWER_WITHIN = timedelta(hours=8)
