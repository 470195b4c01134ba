"""What the command line says about A/B tests and pilots."""

from __future__ import annotations

from typing import Any

OUTCOMES = {
    "winner": "{winner} wins: it beats every other variant (p = {p:.3f})",
    "no_difference": "no difference shown (p = {p:.3f}): chance alone makes such figures",
    "too_few": "too few mails to say anything: {smallest_arm} in the smallest arm, {minimum} are needed",
}


def variant_lines(found: dict[str, Any]) -> list[str]:
    """The table of an A/B test and what follows from it."""
    lines = [f"{'variant':<20} {'accepted':>9} {found['metric']:>7} {'rate':>7}  with 95% confidence"]
    for arm in found["arms"]:
        span = f"{arm['from']:.1%} to {arm['to']:.1%}" if arm["mails"] else "–"
        lines.append(f"{arm['name']:<20} {arm['mails']:>9} {arm['hits']:>7} {arm['rate']:>7.1%}  {span}")
    lines.append(OUTCOMES[found["outcome"]].format(**found))
    if found["smallest_arm"] < found["needed_per_arm"]:
        lines.append(
            f"to show a rise of {found['lift']:.0%} from {found['base_rate']:.1%}, "
            f"{found['needed_per_arm']} mails in each arm are needed; the smallest has {found['smallest_arm']}"
        )
    if found["released"]:
        lines.append(f"the rest gets {found['released']}")
    elif found["waiting"]:
        lines.append(f"{found['waiting']} people wait for the result{_next(found)}")
    return lines


def _next(found: dict[str, Any]) -> str:
    if found["needs_person"]:
        return f": choose with  outreach campaigns release {found['id']} VARIANT"
    return f", until {found['until']:%Y-%m-%d %H:%M} UTC" if found["until"] else ""


ADVICE = {
    "released": "the rest was released",
    "wait": "wait: the sample has not left yet",
    "stop": "stop: {harm}. The rest is not released by itself; change the campaign, or release it all the same",
    "look": "look at it first: more people than usual unsubscribed, or many addresses were refused",
    "release": "nothing speaks against releasing the rest",
}


def pilot_lines(found: dict[str, Any]) -> list[str]:
    """The team's mails, the sample's figures, the advice and the commands that follow."""
    lines = [f"campaign {found['id']}: {found['state']}"]
    for mail in found["team"]:
        variant = f" ({mail['variant']})" if mail["variant"] else ""
        told = f"  {mail['text']}" if mail["state"] != "sent" and mail["text"] else ""
        lines.append(f"team         {mail['address']}{variant}: {mail['state']}{told}")
    figures = found["sample"]
    lines += [f"{name.replace('_', ' '):<12} {number:>6}" for name, number in figures.items()]
    if found["until"] and not found["released"]:
        lines.append(f"rest leaves  {found['until']:%Y-%m-%d %H:%M} UTC, if nothing speaks against it")
    lines.append(ADVICE[found["recommendation"]].format(harm=found["harm"]))
    if found["state"] in ("pilot", "paused") and not found["released"]:
        lines.append(
            f"release it:  outreach campaigns start {found['id']}    stop: outreach campaigns pause {found['id']}"
        )
    return lines
