"""What an approval is bound to, and who may give it (A4). Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from outreach.access.roles import Actor
from outreach.campaigns.refusal import InTwo
from outreach.model.enums import Role


class ApprovalRefused(InTwo):
    """This person cannot approve this campaign; the text says why and who can."""


@dataclass(frozen=True)
class Subject:
    """Everything that an approval covers. Two equal subjects have the same fingerprint, any change another.

    `content` is the SHA-256 of each template version in the order of the steps and variants; `recipients` that of
    the frozen audience; `mailboxes` (name, address); `limits` the caps in force.
    """

    definition: Mapping[str, Any]
    content: Sequence[str]
    recipients: str
    mailboxes: Sequence[tuple[str, str]]
    limits: Mapping[str, Any]

    def fingerprint(self) -> str:
        """SHA-256 in hex over the canonical JSON of all fields."""
        payload = {
            "definition": self.definition,
            "content": list(self.content),
            "recipients": self.recipients,
            "mailboxes": sorted([name, address] for name, address in self.mailboxes),
            "limits": self.limits,
        }
        return hashlib.sha256(canonical(payload).encode()).hexdigest()


def canonical(value: Any) -> str:
    """One text for one value: sorted keys, no white space, no float tricks."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)


class RecipientsDigest:
    """SHA-256 over the frozen audience, fed row by row in the order of contact ids, so that a million fit."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def feed(self, rows: Iterable[Sequence[object]]) -> None:
        """Add rows of (contact_id, address, mailbox_id, skip_reason, is_pilot, variant)."""
        update = self._hash.update
        for row in rows:
            update("\x1f".join("" if cell is None else str(cell) for cell in row).encode() + b"\x1e")

    def hex(self) -> str:
        """The digest so far."""
        return self._hash.hexdigest()


def roles_to_give(actor: Actor, required: Iterable[Role], given: Iterable[str], author_id: int | None) -> list[Role]:
    """Return the roles for which this person's word counts now.

    Raises ApprovalRefused for the author (four eyes), for the operator (who may do everything but approve), for who
    holds none of the required roles and for who is not trained and authorised (H1).
    """
    required = list(required)
    names = ", ".join(required)
    if actor.operator:
        raise ApprovalRefused(
            f"the operator cannot approve: name a user with --as who is {names}",
            f"操作员不能批准：请用 --as 指定具有以下角色的用户：{names}",
        )
    if author_id is not None and actor.id == author_id:
        raise ApprovalRefused(
            "the author of a campaign cannot approve it: somebody else has to read it (four eyes)",
            "活动的作者不能批准自己的活动：须由他人审阅（四眼原则）",
        )
    held = [role for role in required if role in actor.roles]
    if not held:
        raise ApprovalRefused(
            f"{actor.name} holds none of the roles that approve ({names})",
            f"{actor.name} 没有可以批准的角色（{names}）",
        )
    if not actor.authorised:
        raise ApprovalRefused(
            f"{actor.name} is not authorised at present: a manager renews the training grant",
            f"{actor.name} 目前未获授权：请经理更新培训授权",
        )
    left = [role for role in held if role not in set(given)]
    if not left:
        raise ApprovalRefused(
            f"{actor.name} has approved this version already; still missing: {_missing(required, given)}",
            f"{actor.name} 已批准过这个版本；还缺：{_missing(required, given)}",
        )
    return left


def _missing(required: Iterable[Role], given: Iterable[str]) -> str:
    done = set(given)
    return ", ".join(role for role in required if role not in done) or "nobody"


def is_complete(required: Iterable[Role], given: Iterable[str]) -> bool:
    """Whether every required role has approved."""
    return set(required) <= {Role(role) for role in given}
