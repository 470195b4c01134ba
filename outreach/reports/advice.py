"""Five sentences: what happened, what works, how quickly we answer, what hurts, what to do. And whom not to trust."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from outreach.reports.compare import compare, differs, z_score
from outreach.reports.metrics import DIMENSIONS, NO_RATE, SMALL_SAMPLE, Answer, Data, Figures, fold, total
from outreach.reports.period import Period
from outreach.reports.words import WEEKDAYS, Lang, duration, language, number, percent, region, say

#: Mailbox providers' own limits (Google's and Yahoo's sender requirements): warn at 0.1% complaints.
COMPLAINTS_WARN = 0.001
#: Above 2% bounces a list is stale and the domain's standing suffers; 5% of the last 100 pauses the campaign.
BOUNCES_WARN = 0.02
#: Above 1% unsubscriptions the wrong people were written to, or too often.
UNSUBSCRIBED_WARN = 0.01
#: Under ten replies the difference between groups is read from clicks.
ENOUGH_REPLIES = 10


#: What to do with a group that answers more than the rest.
USE = {
    "content": ("把“{name}”的做法用到其余邮件", "use what works for '{name}' elsewhere"),
    "region": ("优先跟进“{name}”的客户", "put customers in '{name}' first"),
    "industry": ("优先跟进“{name}”行业的客户", "put customers in '{name}' first"),
    "language": ("能读{name}的客户都用{name}写", "write in {name} wherever customers read it"),
}


@dataclass(slots=True)
class Advice:
    """What the report says in words. `todo` are the parts of the fifth sentence."""

    lang: Lang
    sentences: list[str] = field(default_factory=list)
    todo: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def add(self, zh: str, en: str) -> None:
        """Add a sentence."""
        self.sentences.append(zh if self.lang == "zh" else en)

    def do(self, zh: str, en: str) -> None:
        """Add something to do."""
        self.todo.append(zh if self.lang == "zh" else en)

    def warn(self, zh: str, en: str) -> None:
        """Add a warning about the figures."""
        self.warnings.append(zh if self.lang == "zh" else en)


def advise(data: Data, period: Period, now: datetime, lang: Lang) -> Advice:
    """Return the five sentences and the warnings."""
    advice = Advice(lang)
    sums, before = total(data.cells), total(data.before)
    _what_happened(advice, sums, before, period)
    _what_works(advice, data)
    _how_quickly(advice, data, period, now)
    _what_hurts(advice, data, sums)
    _what_to_do(advice, sums)
    _careful(advice, data, sums, before)
    return advice


def _what_happened(advice: Advice, now: Figures, before: Figures, period: Period) -> None:
    this, last = say(f"now.{period.kind}", advice.lang), say(f"before.{period.kind}", advice.lang)
    if not now.sent and not now.replied:
        advice.add(
            f"{this}没有发出邮件；{last}发出 {number(before.sent)} 封。",
            f"{this} nothing was sent; the {last.lower()} {number(before.sent)} mails.",
        )
        return
    found = compare("replied", now, before)
    trend = {"up": ("，上升", ", up"), "down": ("，下降", ", down"), "same": ("，差别在偶然之内", ", within chance")}
    zh, en = trend.get(found.direction, ("", ""))
    old = percent(found.before)
    zh_rate, en_rate = "，太少，不算率", "; too few for a rate"
    if found.now is not None:
        rate = percent(found.now)
        zh_rate = f"；回复率 {rate}，{last} {old}{zh}"
        en_rate = f"; reply rate {rate}, the {last.lower()} {old}{en}"
        if found.before is None:
            zh_rate, en_rate = (
                f"；回复率 {rate}（{last}太少，不比）",
                f"; reply rate {rate}, nothing to compare it with",
            )
    sent, replied, asked = number(now.sent), number(now.replied), number(now.inquiries)
    advice.add(
        f"{this}发出 {sent} 封，收到 {replied} 封回复、{asked} 条询盘{zh_rate}。",
        f"{this}: {sent} mails sent, {replied} replies, {asked} inquiries{en_rate}.",
    )


@dataclass(frozen=True, slots=True)
class Contrast:
    """A group whose rate differs from that of all others by more than chance."""

    dimension: str
    key: Any
    figure: str
    own: Figures
    rest: Figures
    z: float


def contrasts(data: Data) -> list[Contrast]:
    """Return the reliable differences between groups, the strongest first."""
    sums = total(data.cells)
    figure = "replied" if sums.replied >= ENOUGH_REPLIES else "clicked"
    found = []
    for dimension in ("content", "region", "industry", "language"):
        for key, own in fold(data.cells, DIMENSIONS[dimension]).items():
            # a first mail against first mails: who answers a sequence answers its last mail
            peers = total(c for c in data.cells if c.step == key[1]) if dimension == "content" else sums
            others = {figure: getattr(peers, figure) - getattr(own, figure)}
            rest = Figures(accepted=peers.accepted - own.accepted, **others)
            if key not in ("", None) and differs(figure, own, rest):
                z = z_score(getattr(own, figure), own.accepted, getattr(rest, figure), rest.accepted)
                found.append(Contrast(dimension, key, figure, own, rest, z))
    return sorted(found, key=lambda contrast: -abs(contrast.z))


def group_name(dimension: str, key: Any, data: Data, lang: Lang) -> str:
    """What people call a group."""
    if dimension == "content":
        template, step, code = key
        titles = data.templates.get(template, {})
        return _content_name(titles.get(lang) or titles.get("en") or template, step, code, lang)
    if dimension == "template":
        titles = data.templates.get(key, {})
        return titles.get(lang) or titles.get("en") or key or say("unknown", lang)
    if dimension == "language":
        return language(key, lang)
    if dimension == "region":
        return region(key, lang)
    names = {"campaign": data.campaigns, "mailbox": data.mailboxes, "salesperson": data.users}.get(dimension)
    if names is not None:
        return names.get(key) or say("nobody" if dimension == "salesperson" else "unknown", lang)
    return str(key) or say("unknown", lang)


def _content_name(template: str, step: int, code: str, lang: Lang) -> str:
    nth = "" if not step else f"第 {step + 1} 封" if lang == "zh" else f"mail {step + 1}"
    parts = (template or say("unknown", lang), nth, language(code, lang))
    return " · ".join(part for part in parts if part)


def _what_works(advice: Advice, data: Data) -> None:
    found = contrasts(data)
    best = next((c for c in found if c.z > 0), None)
    worst = next((c for c in found if c.z < 0), None)
    if best is None and worst is None:
        advice.add(
            "各内容、地区、行业之间没有可靠的差别：样本小，或差别在偶然之内。",
            "No reliable difference between contents, regions or industries: few mails, or within chance.",
        )
        return
    parts = [_contrast(c, data, advice.lang) for c in (best, worst) if c is not None]
    advice.add("；".join(parts) + "。不像是偶然。", "; ".join(parts) + ". Chance is an unlikely cause.")
    if best is not None:
        name = group_name(best.dimension, best.key, data, advice.lang)
        zh, en = USE[best.dimension]
        advice.do(zh.format(name=name), en.format(name=name))
    if worst is not None and worst.dimension == "content":
        name = group_name(worst.dimension, worst.key, data, advice.lang)
        advice.do(f"改写或停用“{name}”", f"rewrite or drop '{name}'")


def _contrast(c: Contrast, data: Data, lang: Lang) -> str:
    name = group_name(c.dimension, c.key, data, lang)
    own, rest = percent(c.own.rate(c.figure)), percent(c.rest.rate(c.figure))
    if lang == "zh":
        what = "回复率" if c.figure == "replied" else "点击率"
        return f"“{name}”{what} {own}，其余 {rest}"
    what = "reply rate" if c.figure == "replied" else "click rate"
    return f"'{name}' has a {what} of {own}, the rest {rest}"


def in_time(answers: Iterable[Answer], now: datetime) -> tuple[int, int]:
    """Return (answered by the time they were due, all that are answered or overdue); what is not due yet waits."""
    judged = [a for a in answers if a.done is not None or a.due < now]
    return sum(1 for a in judged if a.done is not None and a.done <= a.due), len(judged)


def median_time(answers: Iterable[Answer]) -> timedelta | None:
    """The median of how long answers took, None where nothing was answered."""
    spans = [a.done - a.came for a in answers if a.done is not None]
    return timedelta(seconds=median(span.total_seconds() for span in spans)) if spans else None


def _how_quickly(advice: Advice, data: Data, period: Period, now: datetime) -> None:
    done, judged = in_time(data.answers, now)
    waiting = sum(1 for a in data.answers if a.done is None)
    if not data.answers:
        advice.add("没有需要答复的来信。", "No letters waited for an answer.")
        return
    if not judged:
        advice.add(f"{waiting} 封来信待答复，都还没有超时。", f"{waiting} letters wait for an answer, none is late.")
        advice.do("今天答复来信", "answer the letters today")
        return
    late = [a for a in data.answers if a.due < (a.done or now)]
    middle = median_time(data.answers)
    zh_mid = f"，中位用时 {duration(middle, 'zh')}" if middle else ""
    en_mid = f", median {duration(middle, 'en')}" if middle else ""
    zh_open, en_open = (f"；{waiting} 封还没答复", f"; {waiting} still wait") if waiting else ("", "")
    zh_late, en_late = _when_late(late, period)
    advice.add(
        f"当天答复 {percent(done / judged)}（{done} / {judged}）{zh_mid}{zh_open}{zh_late}。",
        f"Answered in time: {percent(done / judged)} ({done} of {judged}){en_mid}{en_open}{en_late}.",
    )
    if late:
        _relieve(advice, data, late)


def _when_late(late: Sequence[Answer], period: Period) -> tuple[str, str]:
    if not late:
        return "", ""
    zone = ZoneInfo(period.zone)
    days = Counter(a.came.astimezone(zone).weekday() for a in late)
    worst, times = days.most_common(1)[0]
    if times < 3 or times * 2 < len(late):
        return f"；晚了 {len(late)} 封", f"; {len(late)} late"
    zh, en = WEEKDAYS["zh"][worst], WEEKDAYS["en"][worst]
    return f"；晚了 {len(late)} 封，其中 {times} 封{zh}到", f"; {len(late)} late, {times} of them came on {en}"


def _relieve(advice: Advice, data: Data, late: Sequence[Answer]) -> None:
    owner, times = Counter(a.owner for a in late).most_common(1)[0]
    name = group_name("salesperson", owner, data, advice.lang)
    advice.do(f"帮{name}分担来信（晚了 {times} 封）", f"share {name}'s letters ({times} late)")


def _what_hurts(advice: Advice, data: Data, sums: Figures) -> None:
    for trouble in (_complaints, _bounces, _unsubscribes, _doubt):
        if trouble(advice, data, sums):
            return
    if not sums.sent:
        advice.add("没有异常。", "Nothing unusual.")
        return
    bounces, left, complaints = number(sums.bounced), number(sums.unsubscribed), number(sums.complained)
    advice.add(
        f"没有异常：退信 {bounces} 封，退订 {left} 人，投诉 {complaints} 起。",
        f"Nothing unusual: {bounces} bounces, {left} unsubscribed, {complaints} complaints.",
    )


def _complaints(advice: Advice, data: Data, sums: Figures) -> bool:
    rate = sums.rate("complained")
    if not sums.complained or rate is None or rate < COMPLAINTS_WARN:
        return False
    advice.add(
        f"投诉率 {percent(rate)}（{sums.complained} 起），邮箱服务商在 0.1% 开始警告，0.3% 起拒收。",
        f"Complaint rate {percent(rate)} ({sums.complained}): providers warn at 0.1% and block at 0.3%.",
    )
    advice.do("查明投诉来自哪份名单，先停发", "find the list that complains and stop it first")
    return True


def _bounces(advice: Advice, data: Data, sums: Figures) -> bool:
    boxes = fold(data.cells, DIMENSIONS["mailbox"])
    bad = [(key, own) for key, own in boxes.items() if (own.rate("bounced") or 0) >= BOUNCES_WARN]
    if not bad:
        return False
    key, own = max(bad, key=lambda pair: pair[1].rate("bounced") or 0)
    name = group_name("mailbox", key, data, advice.lang)
    source, hard = _worst_source(data)
    zh = f"，{number(hard)} 个硬退信来自“{source}”名单，已进禁发名单" if hard else ""
    en = f"; {number(hard)} hard bounces come from the list '{source}' and are suppressed now" if hard else ""
    rate = percent(own.rate("bounced"))
    advice.add(f"{name} 退信率 {rate}{zh}。", f"{name} has a bounce rate of {rate}{en}.")
    if hard:
        advice.do(f"验证“{source}”名单余下的地址", f"verify the rest of the list '{source}'")
    return True


def _worst_source(data: Data) -> tuple[str, int]:
    sources = fold(data.cells, DIMENSIONS["source"])
    name, own = max(sources.items(), key=lambda pair: pair[1].bounced_hard, default=("", Figures()))
    return str(name), own.bounced_hard


def _unsubscribes(advice: Advice, data: Data, sums: Figures) -> bool:
    rate = sums.rate("unsubscribed")
    if rate is None or rate < UNSUBSCRIBED_WARN:
        return False
    advice.add(
        f"退订率 {percent(rate)}（{number(sums.unsubscribed)} 人），高于 1%：写得太勤，或写错了人。",
        f"{percent(rate)} unsubscribed ({number(sums.unsubscribed)}), above 1%: too often, or the wrong people.",
    )
    advice.do("收窄分组，降低频次", "narrow the segment, write less often")
    return True


def _doubt(advice: Advice, data: Data, sums: Figures) -> bool:
    if not data.in_doubt_now:
        return False
    advice.add(
        f"{number(data.in_doubt_now)} 封待确认：不知道是否发出，不会自动重发。",
        f"{number(data.in_doubt_now)} mails are in doubt: nobody knows whether they left, they are not sent again.",
    )
    advice.do("逐封处理待确认的邮件", "settle the mails in doubt")
    return True


def _what_to_do(advice: Advice, sums: Figures) -> None:
    if data_is_thin := sums.accepted < NO_RATE:
        advice.do("样本太小，先多发再下结论", "send more before drawing conclusions")
    if not advice.todo and not data_is_thin:
        advice.do("保持现在的节奏", "go on as now")
    parts = advice.todo[:3]
    advice.add("请做：" + "；".join(parts) + "。", "Please: " + "; ".join(parts) + ".")


def _careful(advice: Advice, data: Data, sums: Figures, before: Figures) -> None:
    _small_groups(advice, data)
    if data.machine_opens:
        n = number(data.machine_opens)
        advice.warn(
            f"打开数已去掉 {n} 次机器打开；仍偏高，以回复为准。",
            f"{n} machine opens are left out; opens are still too high, go by replies.",
        )
    if data.machine_clicks:
        n = number(data.machine_clicks)
        advice.warn(
            f"{n} 次点击来自网关和扫描器，未计入。", f"{n} clicks came from gateways and scanners and do not count."
        )
    if 0 < before.accepted < SMALL_SAMPLE or 0 < sums.accepted < SMALL_SAMPLE:
        advice.warn(
            "两期之中有一期不到 500 封，升降不足为凭。",
            "One of the two periods has under 500 mails: do not trust the change.",
        )
    if data.in_doubt_now:
        n = number(data.in_doubt_now)
        advice.warn(f"{n} 封待确认，未计入已发出。", f"{n} mails are in doubt and not counted as sent.")


def _small_groups(advice: Advice, data: Data) -> None:
    groups = fold(data.cells, DIMENSIONS["region"])
    small = [(name, own.accepted) for name, own in groups.items() if 0 < own.accepted < SMALL_SAMPLE]
    if not small:
        return
    zh = "、".join(f"{region(name, 'zh')} {number(n)} 封" for name, n in small[:4])
    en = ", ".join(f"{region(name, 'en')} {number(n)}" for name, n in small[:4])
    advice.warn(f"{zh}太少，升降不足为凭。", f"{en}: too few mails to trust a change.")
