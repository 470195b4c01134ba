"""Which mails of a campaign belong together in the recipient's mail program, and under which subject. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from outreach.campaigns.definition import Definition

#: The variant of a message whose thread was never begun with this person: it stands alone, without "Re:".
FRESH = "fresh"


def root_of(what: Definition, step: int) -> int:
    """The step whose mail begins the thread that this step's mail goes on with."""
    if what.sequence is None:
        return step
    root = step
    for known in what.sequence.steps:
        if known.kind == "mail" and (not known.same_thread or root == step):
            root = known.number
        if known.number == step:
            break
    return root if what.in_thread(step) else step


def subject_for(what: Definition, step: int, of_template: Callable[[int], str], *, fresh: bool = False) -> str:
    """The subject of a step's mail, variables unfilled; `of_template` gives that of a step's template.

    A sequence's mail that goes on with a thread is "Re:" and what the thread began with.
    """
    given = what.subject_of(step)
    root = step if fresh else root_of(what, step)
    if given or root == step:
        return given or of_template(step)
    first = what.subject_of(root) or of_template(root)
    return first if first.lower().startswith("re:") else f"Re: {first}"


def chain(what: Definition, sent: Sequence[tuple[int, str]], step: int) -> tuple[str, ...]:
    """The Message-IDs that a step's mail refers to, oldest first; `sent`: (step, Message-ID) as they left."""
    if not what.in_thread(step):
        return ()
    found: list[str] = []
    for number, message_id in sent:
        if not what.in_thread(number):
            found.clear()
        found.append(message_id)
    return tuple(found)
