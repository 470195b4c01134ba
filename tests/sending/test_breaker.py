from __future__ import annotations

from outreach.sending.breaker import PolicyBreaker, campaign_must_pause


def trips(marks: str) -> list[bool]:
    breaker = PolicyBreaker()
    return [breaker.record(mark == "x") for mark in marks]


def test_three_refusals_in_a_row_trip() -> None:
    assert trips("..xx.xx.xxx")[-1]
    assert sum(trips("..xx.xx.x")) == 1  # the fifth of the last hundred
    assert not any(trips("..xx.xx."))


def test_five_of_the_last_hundred_trip() -> None:
    assert trips(("x" + "." * 20) * 4 + "x")[-1]
    assert not any(trips(("x" + "." * 30) * 10))


def test_a_restart_does_not_forget() -> None:
    breaker = PolicyBreaker()
    breaker.record(True)
    breaker.record(True)
    assert PolicyBreaker(breaker.stored).record(True)


def test_campaigns_stop_at_five_hard_bounces_of_the_last_hundred() -> None:
    def judge(recent: int, hard: int) -> str | None:
        return campaign_must_pause(recent=recent, recent_hard=hard, sent=recent, complaints=0)

    assert judge(100, 5) == "hard-bounces"
    assert judge(100, 4) is None
    assert judge(20, 5) == "hard-bounces"
    assert judge(0, 0) is None


def test_campaigns_stop_at_three_complaints_in_a_thousand() -> None:
    def judge(sent: int, complaints: int) -> str | None:
        return campaign_must_pause(recent=0, recent_hard=0, sent=sent, complaints=complaints)

    assert judge(1000, 3) == "complaints"
    assert judge(1000, 2) is None
    assert judge(50, 1) is None  # one of fifty is no rate
    assert judge(50, 2) == "complaints"
