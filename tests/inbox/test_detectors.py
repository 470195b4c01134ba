"""No sample, no detector: what each one must find, and what it must leave alone."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

import outreach.inbox.detectors
from outreach.inbox.classify import classify
from outreach.inbox.parse import parse
from tests.inbox.corpora import by_id, raw

#: Detector → messages it must decide, and messages on which it must say nothing.
SAMPLES: dict[str, tuple[list[str], list[str]]] = {
    "dsn": (
        ["sisimai:bsd/lhost-postfix-48", "sisimai:bsd/rfc3464-09", "sisimai:bsd/lhost-exim-60", "enmime:dsn/testdata/delayed_dsn", "own:icloud", "own:mixed"],
        ["own:not-reply-quoting", "sisimai:not/is-not-bounce-02", "own:qmail"],
    ),
    "arf": (["sisimai:bsd/arf-11", "sisimai:bsd/arf-12", "sisimai:bsd/arf-16", "flanker:complaints/yahoo", "own:jmrp"], ["own:icloud", "own:not-newsletter"]),
    "apple_unsubscribe": (["sisimai:bsd/arf-26"], ["sisimai:bsd/arf-11", "own:not-newsletter"]),
    "ses_event": (["sisimai:bsd/lhost-amazonses-09", "sisimai:bsd/lhost-amazonses-10", "sisimai:bsd/lhost-amazonses-12"], ["own:ses", "own:not-question"]),
    "sieve_reject": (["own:dovecot"], ["mimekit:messages/disposition-notification", "own:icloud"]),
    "ezweb": (["sisimai:bsd/lhost-ezweb-02"], ["sisimai:bsd/lhost-ezweb-07", "own:kddi"]),
    "aol": (["own:aol-old"], ["sisimai:bsd/rhost-aol-01", "own:yahoo"]),
    "google_groups": (["sisimai:bsd/lhost-googlegroups-10", "sisimai:bsd/lhost-googlegroups-14"], ["own:gmail-notfound", "own:gmail-delay"]),
    "fml": (["sisimai:bsd/lhost-fml-02", "sisimai:bsd/lhost-fml-03"], ["own:not-newsletter", "own:qmail"]),
    "imail": (["own:imail", "own:imail-full", "own:imail-attempts"], ["own:qmail", "own:not-question"]),
    "verizon": (["sisimai:bsd/lhost-verizon-01", "sisimai:bsd/lhost-verizon-02", "own:verizon"], ["own:kddi", "own:yahoo"]),
    "yahoo": (["sisimai:bsd/lhost-yahoo-01", "sisimai:bsd/lhost-yahoo-07", "own:yahoo"], ["own:qmail", "own:not-reply-quoting"]),
    "x_failed_recipients": (["sisimai:bsd/lhost-mailru-08", "sisimai:bsd/lhost-exim-01", "own:gmail-notfound"], ["own:gmail-zh", "own:exim"]),
    "daemon_notice": (["own:exchange2010", "own:qmail", "own:qq", "own:sendmail-warning", "own:german", "flufl:simple_16", "sisimai:bsd/lhost-x6-02"], ["own:not-out-of-office", "own:not-forward", "flufl:simple_20"]),
    "notice": (
        ["own:kddi", "flufl:simple_20", "sisimai:bsd/lhost-mfilter-03"],
        ["own:not-forward", "own:not-newsletter", "own:not-question", "own:not-postmaster-human", "chatwoot:notification"],
    ),
}  # fmt: skip
FOLDER = Path(outreach.inbox.detectors.__file__).parent
#: The human half of the inbox keeps its own samples (tests/inbox/test_human.py and others).
HUMAN = {"auto_reply", "unsubscribe", "reply", "challenge", "read_receipt", "calendar"}


def test_every_detector_has_samples_and_counter_samples():
    files = {file.stem for file in FOLDER.glob("*.py")} - {"__init__"}
    assert {name for name in files if not name.startswith(tuple(HUMAN))} == set(SAMPLES)
    assert all(good and bad for good, bad in SAMPLES.values())


@pytest.mark.parametrize(("name", "sample"), [(name, s) for name, (good, _) in SAMPLES.items() for s in good])
def test_a_detector_decides_its_samples(name: str, sample: str):
    verdict = classify(raw(by_id(sample)))
    assert verdict.detector == name


@pytest.mark.parametrize(("name", "sample"), [(name, s) for name, (_, bad) in SAMPLES.items() for s in bad])
def test_a_detector_leaves_others_alone(name: str, sample: str):
    detect = import_module(f"outreach.inbox.detectors.{name}").detect
    assert detect(parse(raw(by_id(sample)))) is None
