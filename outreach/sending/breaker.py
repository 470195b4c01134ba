"""Circuit breakers: when a mailbox or a campaign stops by itself, decided without I/O."""

from __future__ import annotations

from collections import deque

#: reliability.md: three policy refusals in a row, or 5% of the last 100, pause the mailbox.
IN_A_ROW = 3
WINDOW = 100
POLICY_SHARE = 0.05
#: reliability.md, "Sending rules": pause a campaign at 5% hard bounces of the last 100; stop at 0.3% complaints.
HARD_SHARE = 0.05
COMPLAINT_SHARE = 0.003
#: One complaint among few mails is no rate: below this many sent, it takes two.
COMPLAINT_SAMPLE = 300


class PolicyBreaker:
    """Counts refusals for policy, spam or authentication among the mailbox's last hand-overs."""

    def __init__(self, stored: str = "") -> None:
        self._recent: deque[bool] = deque((mark == "1" for mark in stored[-WINDOW:]), maxlen=WINDOW)

    def record(self, refused: bool) -> bool:
        """Note one hand-over; True: the mailbox must pause."""
        self._recent.append(refused)
        return refused and (self._row() >= IN_A_ROW or sum(self._recent) >= POLICY_SHARE * WINDOW)

    def _row(self) -> int:
        length = 0
        for refused in reversed(self._recent):
            if not refused:
                break
            length += 1
        return length

    @property
    def stored(self) -> str:
        """What a mailbox row keeps, so that a restart does not forget."""
        return "".join("1" if refused else "0" for refused in self._recent)


def campaign_must_pause(*, recent: int, recent_hard: int, sent: int, complaints: int) -> str | None:
    """Return the reason code why a campaign must pause, None if it may go on.

    recent, recent_hard: its last hand-overs, at most 100, and how many of them bounced hard. sent, complaints: of all.
    """
    if recent and recent_hard >= HARD_SHARE * WINDOW:
        return "hard-bounces"
    enough = complaints >= (1 if sent >= COMPLAINT_SAMPLE else 2)
    if enough and sent and complaints / sent >= COMPLAINT_SHARE:
        return "complaints"
    return None
