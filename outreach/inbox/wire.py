"""Verdict and summary as JSON and back: what the sandbox's child may tell its parent."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from outreach.inbox.archive.cutting import Cut, cuts_of
from outreach.inbox.brief import summarise_report
from outreach.inbox.classify import classify_mail
from outreach.inbox.fast import look
from outreach.inbox.parse import parse
from outreach.inbox.summary import Attachment, Summary, summarise_mail
from outreach.inbox.verdict import Finding, Intent, Kind, Verdict


@dataclass(frozen=True)
class Reading:
    """What was read from one mail; summary is None where only the verdict was asked for. cuts: its attachments."""

    verdict: Verdict
    summary: Summary | None
    cuts: tuple[Cut, ...] = ()


def answer(raw: bytes, *, summary: bool) -> dict[str, Any]:
    """The child's side: classify `raw` and describe it in JSON types."""
    found = look(raw)
    verdict = found.verdict if found else None
    if not summary:
        return {"verdict": _verdict_out(verdict or classify_mail(parse(raw)))}
    if found is not None and found.verdict.own_uids:
        brief = summarise_report(found)  # tokens need not be looked for: our own header came back
        if brief is not None:
            return {"verdict": _verdict_out(found.verdict), "summary": _summary_out(brief)}
    mail = parse(raw)
    verdict = verdict or classify_mail(mail)
    cuts = [asdict(cut) for cut in cuts_of(raw, mail)]
    return {"verdict": _verdict_out(verdict), "summary": _summary_out(summarise_mail(mail)), "cuts": cuts}


def reading(found: dict[str, Any]) -> Reading:
    """The parent's side. Raises ValueError, KeyError or TypeError on what no child of ours would say."""
    summary = found.get("summary")
    cuts = tuple(Cut(**cut) for cut in found.get("cuts") or ())
    return Reading(_verdict_in(found["verdict"]), _summary_in(summary) if summary else None, cuts)


def _verdict_out(verdict: Verdict) -> dict[str, Any]:
    out = dict(vars(verdict))  # as asdict() does, but that copies everything three times
    out["findings"] = [vars(finding) for finding in verdict.findings]
    out["return_date"] = verdict.return_date.isoformat() if verdict.return_date else None
    return out


def _verdict_in(found: dict[str, Any]) -> Verdict:
    values = dict(found)
    values["kind"] = Kind(found["kind"])
    values["findings"] = tuple(Finding(**finding) for finding in found["findings"])
    for name in ("recipients", "original_ids", "own_uids"):
        values[name] = tuple(found[name])
    if found.get("intent"):
        values["intent"] = Intent(found["intent"])
    if found.get("return_date"):
        values["return_date"] = date.fromisoformat(found["return_date"])
    return Verdict(**values)


def _summary_out(summary: Summary) -> dict[str, Any]:
    out = dict(vars(summary))
    out["attachments"] = [vars(file) for file in summary.attachments]
    out["date"] = summary.date.isoformat() if summary.date else None
    return out


def _summary_in(found: dict[str, Any]) -> Summary:
    lists = {name: tuple(found[name]) for name in ("in_reply_to", "references", "to", "cc", "exceeded", "tokens")}
    attachments = tuple(Attachment(**file) for file in found["attachments"])
    when = datetime.fromisoformat(found["date"]) if found["date"] else None
    return Summary(**{**found, **lists, "attachments": attachments, "date": when})
