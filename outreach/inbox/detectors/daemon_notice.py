"""Notices in prose whose sender is a mail system by name: they are marked as auto-replies, and are none."""

from __future__ import annotations

from outreach.inbox import notice
from outreach.inbox.detectors import notice as any_notice
from outreach.inbox.parse import Mail
from outreach.inbox.verdict import Verdict


def detect(mail: Mail) -> Verdict | None:
    found = any_notice.detect(mail) if notice.is_daemon(mail) else None
    return found.but(detector="daemon_notice") if found else None
