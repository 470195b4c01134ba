"""`outreach users …`: who may log in, with which roles."""

from __future__ import annotations

import sys
from datetime import date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from outreach.access.login import Login, hash_password, new_password
from outreach.access.roles import Permission, require
from outreach.access.store import AUTHORISED_FOR, NewUser, UserError
from outreach.app import handing
from outreach.app.build import App
from outreach.app.clock import utc_now
from outreach.cli.common import AsJson, AsUser, acting, emit, err, with_app
from outreach.model import Role

app = typer.Typer(no_args_is_help=True, help="Users: who may log in, and what their roles let them do.")

FAULTS = {
    "short": "the password is too short: use at least 10 characters",
    "long": "the password is too long: use at most 256 characters",
    "common": "this password is guessed first: choose another",
    "name": "do not build the password from the name",
}


TAKE_BACK = "the grant is on record; --not-authorised adds somebody without it"


def _hashed(name: str, from_stdin: bool) -> str:
    """Take the password from stdin, or make one and print it to stderr. Raises ValueError in words."""
    password = sys.stdin.readline().rstrip("\n") if from_stdin else new_password()
    try:
        hashed = hash_password(password, name)
    except ValueError as fault:
        raise ValueError(FAULTS[str(fault)]) from fault
    if not from_stdin:
        err.print(f"password of {name}: {password}  (shown this once)", highlight=False, markup=False)
    return hashed


async def _known(service: App, name: str) -> Any:
    row = await service.access.user(name)
    if row is None:
        raise UserError("unknown", f"there is no user {name!r}: see  outreach users list")
    return row


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="The name for logging in, without blanks.")],
    role: Annotated[list[Role], typer.Option("--role", help="A role; may be given several times.")],
    display_name: Annotated[str, typer.Option("--display-name", help="The name as shown.")] = "",
    email: Annotated[str | None, typer.Option("--email", help="The user's own address.")] = None,
    team: Annotated[str | None, typer.Option("--team", help="The team.")] = None,
    region: Annotated[list[str] | None, typer.Option("--region", help="A region to look after.")] = None,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from stdin.")] = False,
    authorised: Annotated[
        bool,
        typer.Option(
            "--authorised/--not-authorised",
            help="Declare them trained and authorised for a year, on record; without it nothing can be sent (H1).",
        ),
    ] = True,
    as_user: AsUser = None,
    as_json: AsJson = False,
) -> None:
    """Add a user. Without --password-stdin a password is made and printed to stderr, once."""

    async def work(service: App) -> dict[str, Any]:
        actor = await acting(service, as_user)
        require(actor, Permission.USERS_EDIT)
        if not name or any(char.isspace() for char in name):
            raise ValueError("give a name without blanks, such as li.na")
        hashed = _hashed(name, password_stdin)
        new = NewUser(name, role, hashed, display_name, email, team=team, regions=tuple(region or ()))
        now = utc_now()
        user_id = await service.access.add_user(new, actor=actor, now=now, authorise=authorised)
        if authorised:
            until = f"{now + AUTHORISED_FOR:%Y-%m-%d}"
            err.print(f"{name} is declared trained and authorised until {until}: {TAKE_BACK}", highlight=False)
        return {"id": user_id, "name": name, "roles": [r.value for r in role]}

    emit(with_app(work), as_json)


@app.command("list")
def list_users(as_json: AsJson = False) -> None:
    """List the users."""

    async def work(service: App) -> list[dict[str, Any]]:
        return [_shown(row) for row in await service.access.users()]

    rows = with_app(work)
    words = "\n".join(
        f"{row['id']:>4}  {row['name']:<20} {', '.join(row['roles'])}{'' if row['active'] else '  (closed)'}"
        for row in rows
    )
    emit(rows, as_json, words or "no users yet: outreach users add NAME --role admin")


def _shown(row: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "display_name": row.display_name,
        "roles": row.roles,
        "team": row.team,
        "active": row.disabled_at is None,
        "authorised_until": row.authorised_until,
        "second_factor": row.totp_secret is not None,
    }


@app.command()
def disable(
    name: Annotated[str, typer.Argument(help="The user's name.")], as_user: AsUser = None, as_json: AsJson = False
) -> None:
    """Close a user's account: sessions and tokens end at once."""

    async def work(service: App) -> dict[str, Any]:
        actor = await acting(service, as_user)
        require(actor, Permission.USERS_EDIT)
        row = await _known(service, name)
        await service.access.disable(row.id, actor=actor, now=utc_now())
        return {"id": row.id, "name": name, "active": False}

    emit(with_app(work), as_json)


@app.command()
def transfer(
    name: Annotated[str, typer.Argument(help="Who leaves.")],
    to: Annotated[str, typer.Option("--to", help="Who takes over.")],
    sequences: Annotated[
        str, typer.Option("--sequences", help="Mails that wait in the leaver's mailboxes: continue or stop.")
    ] = "continue",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would pass on, change nothing.")] = False,
    as_user: AsUser = None,
    as_json: AsJson = False,
) -> None:
    """Pass customers, open tasks and received mail to a successor, then close account and mailboxes (C3)."""
    if sequences not in ("continue", "stop"):
        raise typer.BadParameter("choose continue or stop", param_hint="--sequences")

    async def work(service: App) -> dict[str, Any]:
        actor = await acting(service, as_user)
        require(actor, Permission.USERS_TRANSFER)
        leaving, successor = await _known(service, name), await _known(service, to)
        if dry_run:
            return (await handing.preview(service, leaving.id, successor.id)).as_dict()
        return await handing.transfer(service, leaving.id, successor.id, actor, utc_now(), sequences=sequences)

    emit(with_app(work), as_json)


@app.command("take-back")
def take_back(
    handover: Annotated[int, typer.Argument(help="The number that `transfer` gave.")],
    as_user: AsUser = None,
    as_json: AsJson = False,
) -> None:
    """Undo a transfer: what is still the successor's goes back, account and mailboxes open again."""

    async def work(service: App) -> dict[str, int]:
        actor = await acting(service, as_user)
        require(actor, Permission.USERS_TRANSFER)
        return await handing.take_back(service, handover, actor, utc_now())

    emit(with_app(work), as_json)


@app.command()
def password(
    name: Annotated[str, typer.Argument(help="The user's name.")],
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from stdin.")] = False,
    as_user: AsUser = None,
    as_json: AsJson = False,
) -> None:
    """Set a new password; the user's sessions end at once."""

    async def work(service: App) -> dict[str, Any]:
        actor = await acting(service, as_user)
        require(actor, Permission.USERS_EDIT)
        row = await _known(service, name)
        chosen = sys.stdin.readline().rstrip("\n") if password_stdin else new_password()
        try:
            await Login(service.db, service.secret).set_password(row.id, chosen, actor=actor, now=utc_now())
        except ValueError as fault:
            raise ValueError(FAULTS[str(fault)]) from fault
        if not password_stdin:
            err.print(f"password of {name}: {chosen}  (shown this once)", highlight=False, markup=False)
        return {"id": row.id, "name": name}

    emit(with_app(work), as_json)


@app.command()
def authorise(
    name: Annotated[str, typer.Argument(help="The user's name.")],
    until: Annotated[str, typer.Option("--until", help="The last day, YYYY-MM-DD; 'no' takes it back.")],
    as_user: AsUser = None,
    as_json: AsJson = False,
) -> None:
    """Declare a user trained and authorised until a day: without it nothing can be sent, approved or answered (H1)."""

    async def work(service: App) -> dict[str, Any]:
        actor = await acting(service, as_user)
        require(actor, Permission.USERS_AUTHORISE)
        row = await _known(service, name)
        last = None if until == "no" else _last_moment(until, service.settings.sender.timezone)
        await service.access.authorise(row.id, last, actor=actor, now=utc_now())
        return {"id": row.id, "name": name, "authorised_until": last}

    emit(with_app(work), as_json)


def _last_moment(day: str, zone: str) -> datetime:
    try:
        found = date.fromisoformat(day)
    except ValueError as error:
        raise ValueError(f"{day!r} is no day: use YYYY-MM-DD") from error
    return datetime(found.year, found.month, found.day, 23, 59, 59, tzinfo=ZoneInfo(zone))
