"""`outreach machines`: whose clicks and opens are taken for a machine's, and why."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from outreach.cli.common import AsJson, emit, out


def machines(
    check: Annotated[str | None, typer.Option("--check", help="An address: which rows it falls under.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the networks and programs that count as machines: name, date, source, number of ranges."""
    from outreach.tracking.machine import tables

    rows = [_row(kind, row) for kind in ("agent", "network") for row in tables()[kind]]
    if check is not None:
        rows = _of(check)
    if as_json:
        emit({"machines": rows}, as_json)
        return
    for row in rows:
        ranges = f"{row['ranges']:>3} ranges" if row["kind"] != "agent" else " " * 10
        date = row["date"] or " " * 10
        out.print(f"{row['kind']:<8}{row['why']:<22}{ranges}  {date}  {row['source']}", highlight=False, markup=False)
    if not rows:
        out.print(f"{check} stands in no table: who comes from there is a person.", highlight=False, markup=False)


def _row(kind: str, row: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": "cloud" if row.get("cloud") else kind,
        "why": row["why"],
        "counts_for": row["kinds"],
        "ranges": len(row.get("cidrs", ())),
        "date": str(row.get("date", "")),
        "source": row["source"],
    }


def _of(text: str) -> list[dict[str, Any]]:
    """The rows that an address falls under. Raises typer.BadParameter for what is no address."""
    from ipaddress import ip_address, ip_network

    from outreach.tracking.machine import tables

    try:
        address = ip_address(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no IP address: write 192.0.2.7 or 2001:db8::7") from error
    rows = tables()["network"]
    return [_row("network", row) for row in rows if any(address in ip_network(cidr) for cidr in row["cidrs"])]
