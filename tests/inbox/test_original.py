"""The message that a report is about."""

from __future__ import annotations

from outreach.inbox import original
from outreach.inbox.parse import parse
from tests.inbox.corpora import by_id, raw


def test_ids_in_every_place():
    mail = parse(
        b"From: a@b.example\nIn-Reply-To: <one@x>\nReferences: <one@x> <two@x>\nMessage-ID: <own@x>\n"
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\n"
        b"TWVzc2FnZS1JRDogPHRocmVlQHg+ClgtT3V0cmVhY2gtTWVzc2FnZTogazEKeA==\n--b\nContent-Type: message/rfc822\n\n"
        b"Message-ID:\n <four@x>\nX-Outreach-Message: k2\n\nhello\n--b--\n"
    )
    messages, uids = original.ids(mail)
    assert set(messages) == {"one@x", "two@x", "three@x", "four@x"}
    assert set(uids) == {"k1", "k2"}


def test_a_mails_own_id_is_not_an_original():
    assert original.ids(parse(b"Message-ID: <own@x>\nX-Outreach-Message: own\n\nhello")) == ((), ())


def test_recipients_of_the_returned_message():
    assert original.recipients(parse(raw(by_id("own:james")))) == ["anna.berg@buyer.example"]
    assert original.recipients(parse(raw(by_id("own:sendmail")))) == ["anna.berg@buyer.example"]
    assert original.recipients(parse(b"Subject: x\n\nno message here")) == []
