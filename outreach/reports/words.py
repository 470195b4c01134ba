"""The words of the reports in both languages, the same as on every screen (ui/screens.md)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError

from outreach.reports.period import Period

Lang = Literal["zh", "en"]

WORDS: Mapping[str, tuple[str, str]] = {
    "weekly": ("每周效果报告", "Weekly report"),
    "monthly": ("每月效果报告", "Monthly report"),
    "quarterly": ("季度效果报告", "Quarterly report"),
    "now.weekly": ("本周", "This week"),
    "now.monthly": ("本月", "This month"),
    "now.quarterly": ("本季度", "This quarter"),
    "before.weekly": ("上周", "Week before"),
    "before.monthly": ("上月", "Month before"),
    "before.quarterly": ("上季度", "Quarter before"),
    "asof": ("数据截至", "Data as of"),
    "funnel": ("漏斗，与{before}比（灰）", "Funnel, against the {before} (grey)"),
    "stage": ("阶段", "Stage"),
    "sent": ("已发出", "Sent"),
    "accepted": ("对方已收", "Accepted"),
    "bounced": ("退信", "Bounced"),
    "bounced_hard": ("硬退信", "Hard bounces"),
    "opened": ("人打开", "Opened (people)"),
    "opened_machine": ("机器打开", "Opened (machines)"),
    "clicked": ("人点击", "Clicked (people)"),
    "clicked_machine": ("机器点击", "Clicked (machines)"),
    "replied": ("回复", "Replied"),
    "autoreplied": ("自动回复", "Auto-replies"),
    "unsubscribed": ("退订", "Unsubscribed"),
    "complained": ("投诉", "Complained"),
    "failed": ("未发出", "Failed"),
    "in_doubt": ("待确认", "In doubt"),
    "inquiries": ("询盘", "Inquiries"),
    "quotations": ("报价", "Quotations"),
    "orders": ("订单", "Orders"),
    "regions": ("地区：回复率", "Regions: reply rate"),
    "region": ("地区", "Region"),
    "industries": ("行业：回复率", "Industries: reply rate"),
    "industry": ("行业", "Industry"),
    "contents": ("内容：最好与最差", "Content: best and worst"),
    "content": ("邮件", "Mail"),
    "template": ("模板", "Template"),
    "language": ("语言", "Language"),
    "campaigns": ("营销活动", "Campaigns"),
    "campaign": ("活动", "Campaign"),
    "mailboxes": ("发件邮箱：退信率", "Mailboxes: bounce rate"),
    "mailbox": ("发件邮箱", "Mailbox"),
    "people": ("人与回复", "People and their replies"),
    "salesperson": ("负责人", "Owner"),
    "source": ("来源", "Source"),
    "hour": ("当地钟点", "Local hour"),
    "weekday": ("星期", "Weekday"),
    "got": ("已收", "Accepted"),
    "rate": ("率", "Rate"),
    "reply_rate": ("回复率", "Reply rate"),
    "bounce_rate": ("退信率", "Bounce rate"),
    "sameday": ("当天答复", "In time"),
    "median": ("中位用时", "Median"),
    "heat": ("收件人当地几点回复（{n} 封）", "When they wrote back, their local time ({n})"),
    "trend": ("近 {n} 期：发出（条）与回复率", "The last {n}: sent (bars) and reply rate"),
    "careful": ("当心这些数", "Careful with these"),
    "small": ("样本小", "small sample"),
    "norate": ("样本小，不算率", "too few for a rate"),
    "foot": (
        "率以“对方已收”为底，退信率以“已发出”为底。少于 100 封不算率，少于 500 封标“样本小”。"
        "打开不等于阅读，已收不等于送到收件箱。",
        "Rates are of what was accepted, bounce rates of what was sent. Under 100 mails no rate, under 500 "
        "'small sample'. An open is not a reading, accepted is not delivered.",
    ),
    "nobody": ("无负责人", "nobody"),
    "unknown": ("未填", "not given"),
    "other": ("其他 {n} 项", "{n} others"),
    "overview": ("概览", "Overview"),
    "figure": ("指标", "Figure"),
    "findings": ("结论与建议", "Findings"),
    "night": ("另有 {n} 封在夜间。", "{n} more at night."),
    "short.opened": ("人打开", "Opened"),
    "short.clicked": ("人点击", "Clicked"),
    "weekend": ("六日", "Sa Su"),
    "indicators": ("指标", "Indicators"),
    "behind": ("依据", "Counted from"),
    "adopted": ("采纳 {n} 条", "{n} adopted"),
    "answered": ("{asked} 份问卷，已答 {n} 份", "{n} of {asked} answered"),
    "accepted_mails": ("已收 {n} 封", "{n} accepted mails"),
    "indicator.campaign_effect": ("营销效果得分", "Campaign effect score"),
    "indicator.replies_in_time": ("来信按时答复率", "Replies answered in time"),
    "indicator.complaints_solved": ("投诉解决率", "Complaints solved"),
    "indicator.new_customers": ("新客户", "New customers"),
    "indicator.satisfaction": ("满意度", "Satisfaction"),
    "indicator.budget_kept": ("预算控制", "Budgets kept"),
    "indicator.suggestions": ("员工建议", "Suggestions of staff"),
    "none": ("没有数据", "No data"),
}

REGIONS: Mapping[str, tuple[str, str]] = {
    "Europe": ("欧洲", "Europe"),
    "Americas": ("美洲", "Americas"),
    "Middle East": ("中东", "Middle East"),
    "Asia": ("亚洲", "Asia"),
    "Africa": ("非洲", "Africa"),
    "Oceania": ("大洋洲", "Oceania"),
    "Other": ("其他", "Other"),
}

WEEKDAYS: Mapping[str, tuple[str, ...]] = {
    "zh": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def say(key: str, lang: Lang, **values: object) -> str:
    """Return the word of a key."""
    text = WORDS[key][0 if lang == "zh" else 1]
    return text.format(**values) if values else text


def region(name: str, lang: Lang) -> str:
    """The name of a region."""
    return REGIONS[name][0 if lang == "zh" else 1] if name in REGIONS else name


def language(code: str, lang: Lang) -> str:
    """德文, German."""
    try:
        name = Locale.parse(code.replace("-", "_")).get_display_name("zh_Hans" if lang == "zh" else "en")
    except (UnknownLocaleError, ValueError):
        return code
    return (name or code).replace("语", "文") if lang == "zh" else name or code


def titles_in(toml: str) -> dict[str, str]:
    """The titles of a template by language; a file that cannot be read has none."""
    try:
        found = tomllib.loads(toml).get("title", {})
    except tomllib.TOMLDecodeError:
        return {}
    return {str(code): str(text) for code, text in found.items()} if isinstance(found, dict) else {}


def number(value: int) -> str:
    """12,345."""
    return f"{value:,}"


def percent(value: float | None) -> str:
    """2.2%, 0.31% where it is small, – where there is no rate."""
    if value is None:
        return "–"
    return f"{value:.1%}" if value == 0 or value >= 0.001 else f"{value:.2%}"


def duration(span: timedelta, lang: Lang) -> str:
    """2 小时 10 分, 2 h 10 min; days from two on."""
    minutes = round(span.total_seconds() / 60)
    hours, rest = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24} 天" if lang == "zh" else f"{hours // 24} days"
    if lang == "zh":
        return f"{hours} 小时 {rest:02} 分" if hours else f"{rest} 分"
    return f"{hours} h {rest:02} min" if hours else f"{rest} min"


def day(value: date, lang: Lang) -> str:
    """11月16日, 16 Nov."""
    return f"{value.month}月{value.day}日" if lang == "zh" else f"{value.day} {MONTHS[value.month - 1]}"


def moment(at: datetime, zone: str, lang: Lang) -> str:
    """11月23日 周一 07:30, Mon 23 Nov 07:30."""
    local = at.astimezone(ZoneInfo(zone))
    name = WEEKDAYS[lang][local.weekday()]
    when = day(local.date(), lang)
    return f"{when} {name} {local:%H:%M}" if lang == "zh" else f"{name} {when} {local:%H:%M}"


def period_name(period: Period, lang: Lang) -> str:
    """2026 年第 47 周，11月16日–22日."""
    first, last = period.first, period.last
    if period.kind == "weekly":
        year, week, _ = first.isocalendar()
        end = f"{last.day}日" if lang == "zh" and first.month == last.month else day(last, lang)
        span = f"{day(first, lang)}–{end}"
        return f"{year} 年第 {week} 周，{span}" if lang == "zh" else f"Week {week} of {year}, {span}"
    if period.kind == "monthly":
        return f"{first.year} 年 {first.month} 月" if lang == "zh" else f"{MONTHS[first.month - 1]} {first.year}"
    quarter = (first.month + 2) // 3
    return f"{first.year} 年第 {quarter} 季度" if lang == "zh" else f"Quarter {quarter} of {first.year}"
