"""Errors as people read them: what happened, what it means, what to do."""

from __future__ import annotations

from fastapi import Request
from sqlalchemy.exc import DBAPIError

from outreach.web.i18n import N_, translate
from outreach.web.render import render

#: Kind → what happened, what it means, what to do.
TEXTS: dict[str, tuple[str, str, str]] = {
    "role": (
        N_("You may not do this."),
        N_("Your roles do not include it. Nothing was changed."),
        N_("Ask a manager or an administrator if your work needs it."),
    ),
    "object": (
        N_("This belongs to somebody else."),
        N_("You see and change what is yours or your team's. Nothing was changed."),
        N_("Ask its owner, or a manager to assign it to you."),
    ),
    "authorisation": (
        N_("You are not declared trained and authorised, or the date has passed."),
        N_("Without that nothing can be sent, approved or answered. Nothing was changed."),
        N_("Ask a manager: Settings, Users, Authorise."),
    ),
    "form": (
        N_("This page was too old, or the request came from elsewhere."),
        N_("It was refused and nothing was changed."),
        N_("Go back, load the page again and repeat it."),
    ),
    "assignee": (
        N_("Nobody of this name works here any more."),
        N_("The account was closed or removed. Nothing was changed."),
        N_("Go back, load the page again and choose somebody else."),
    ),
    "404": (
        N_("There is nothing at this address."),
        N_("It was removed, or the link is wrong."),
        N_("Check the address, or begin again at Today."),
    ),
    "413": (
        N_("The file is too large."),
        N_("It was not read."),
        N_("Split it, or import it with the command line: outreach contacts import FILE."),
    ),
    "500": (
        N_("The program has failed here."),
        N_("The fault is not yours, and it is in the program's log. What you entered may not be stored."),
        N_("Try again in a minute. If it happens again, tell a technician the time and what you did."),
    ),
    "503": (
        N_("The service is busy."),
        N_("Too many pages were asked for at once. Nothing was changed."),
        N_("Try again in a minute."),
    ),
    "409": (
        N_("This is no longer possible."),
        N_("Somebody or something changed it meanwhile. Nothing was changed now."),
        N_("Load the page again and look at its state."),
    ),
}
OTHER = (
    N_("This did not work."),
    N_("The request was refused. Nothing was changed."),
    N_("Go back and try again. If it happens again, tell a technician what you did."),
)


def names_nothing(error: OverflowError | DBAPIError) -> bool:
    """Whether a number was too long for the database's columns, so that it can be the number of nothing."""
    return isinstance(error, OverflowError) or "out of int" in str(error.orig)


async def error_page(request: Request, kind: str, detail: str, *, lang: str, part: bool) -> str:
    """Return the page (or the part for htmx) of an error."""
    what, means, do = TEXTS.get(kind, OTHER)
    if kind == "409" and detail and detail != "Conflict":
        what = detail
    context = {"what": what if kind == "409" else translate(lang, what), "means": translate(lang, means)}
    template = "part_error.html" if part else "error.html"
    return render(lang, template, **context, do=translate(lang, do), now=request.app.state.clock(), tz="UTC")
