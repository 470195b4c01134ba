"""Four eyes, three roles, one fingerprint (A4)."""

import random

import pytest

from outreach.access.roles import OPERATOR, Actor
from outreach.campaigns.approval import (
    ApprovalRefused,
    RecipientsDigest,
    Subject,
    canonical,
    is_complete,
    roles_to_give,
)
from outreach.model import Role

THREE = [Role.MARKETING_LEAD, Role.BUSINESS_LEAD, Role.LEGAL]


def person(number: int, *roles: Role, authorised: bool = True) -> Actor:
    return Actor(id=number, name=f"user{number}", roles=frozenset(roles), authorised=authorised)


def test_each_role_gives_its_own_word() -> None:
    given: list[str] = []
    for number, role in enumerate(THREE, 1):
        assert not is_complete(THREE, given)
        given += roles_to_give(person(number, role), THREE, given, author_id=99)
    assert is_complete(THREE, given)


@pytest.mark.parametrize(
    ("actor", "told"),
    [
        (OPERATOR, "the operator cannot approve"),
        (person(99, Role.LEGAL), "the author of a campaign cannot approve it"),
        (person(1, Role.MARKETER), "holds none of the roles"),
        (person(1, Role.LEGAL, authorised=False), "is not authorised"),
    ],
)
def test_who_may_not_approve_is_told_why(actor: Actor, told: str) -> None:
    with pytest.raises(ApprovalRefused, match=told):
        roles_to_give(actor, THREE, [], author_id=99)


def test_the_same_person_does_not_count_twice() -> None:
    with pytest.raises(ApprovalRefused, match="still missing: marketing_lead, business_lead"):
        roles_to_give(person(1, Role.LEGAL), THREE, ["legal"], author_id=None)


def subject(**changed: object) -> Subject:
    values: dict[str, object] = {
        "definition": {"name": "LED", "subject": "Hallo", "n": 1},
        "content": ["0|abc"],
        "recipients": "def",
        "mailboxes": [("sales", "sales@example.com")],
        "limits": {"per_contact": 3},
    }
    return Subject(**{**values, **changed})  # type: ignore[arg-type]


def test_equal_subjects_have_one_fingerprint_whatever_the_order() -> None:
    swapped = subject(definition={"n": 1, "subject": "Hallo", "name": "LED"})
    assert swapped.fingerprint() == subject().fingerprint()


def test_a_thousand_single_byte_changes_each_give_another_fingerprint() -> None:
    chance = random.Random(7)
    original = subject().fingerprint()
    text = canonical(subject().definition)
    for _ in range(1000):
        place = chance.randrange(len(text))
        changed = text[:place] + chr(ord(text[place]) ^ chance.choice([1, 2, 4, 8, 16])) + text[place + 1 :]
        assert subject(definition={"file": changed}).fingerprint() != original
        field = chance.choice(["content", "recipients", "mailboxes", "limits"])
        odd = {"content": [changed], "recipients": changed, "mailboxes": [(changed, "")], "limits": {"x": changed}}
        assert subject(**{field: odd[field]}).fingerprint() != original


def test_the_audience_digest_tells_rows_apart() -> None:
    def digest(*rows: tuple[object, ...]) -> str:
        found = RecipientsDigest()
        found.feed(rows)
        return found.hex()

    assert digest((1, "a@x.example", None)) != digest((1, "a@x.example", 0))
    assert digest((1, "ab"), (2, "c")) != digest((1, "a"), (2, "bc"))
