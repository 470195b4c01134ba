"""The calendar read backwards finds the same mails as the calendar read forwards."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.campaigns.calendar import Hours, add_working_days, next_open
from outreach.campaigns.follow_up import sent_spans

#: Zones without summer time; a change of the clocks moves a follow-up by an hour at most.
ZONES = ("UTC", "Asia/Dubai", "Asia/Shanghai", "America/Phoenix", "Asia/Kathmandu")
WINDOWS = (None, (time(9), time(17)), (time(0), time(23, 59)))
HOURS = st.builds(
    Hours, st.sampled_from(ZONES), st.sampled_from((None, "DE", "SA", "CN", "NP")), st.sampled_from(WINDOWS),
    st.booleans(), st.booleans(),
)  # fmt: skip
MINUTES = st.integers(0, 60 * 24 * 80)
START = datetime(2026, 9, 20, tzinfo=UTC)  # Golden Week, Christmas and many a weekend ahead


@settings(max_examples=600)
@given(HOURS, st.sampled_from((0.0, 0.5, 1.0, 2.0, 2.5, 4.0, 10.0)), MINUTES, st.integers(0, 60 * 24 * 21))
def test_a_mail_is_in_the_spans_where_its_follow_up_is_due(hours: Hours, days: float, sent: int, later: int) -> None:
    left = START + timedelta(minutes=sent)
    now = left + timedelta(minutes=later)
    due = next_open(add_working_days(left, days, hours), hours) <= now
    spans = sent_spans(now, days, hours)
    found = [span for span in spans if (span[0] is None or span[0] <= left) and left < span[1]]
    assert bool(found) == due
    assert len(found) <= 1


def test_a_weekends_mails_are_due_on_monday_at_the_hour_they_left() -> None:
    hours = Hours("UTC", "DE", (time(9), time(17)), True, True)
    monday = datetime(2026, 11, 30, 12, tzinfo=UTC)
    friday = datetime(2026, 11, 27, tzinfo=UTC)
    spans = sent_spans(monday, 1, hours)
    assert spans == (
        (None, friday),
        *((friday + n * timedelta(days=1), friday + timedelta(days=n, hours=12, microseconds=1)) for n in range(3)),
    )
