"""The use cases of app/, imported when first asked for: app builds on every stage, pages should load without them."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def campaigns() -> Any:
    """outreach.app.campaigns."""
    return import_module("outreach.app.campaigns")


def authoring() -> Any:
    """outreach.app.authoring."""
    return import_module("outreach.app.authoring")


def trial_mail() -> Any:
    """outreach.app.trial_mail."""
    return import_module("outreach.app.trial_mail")


def sequences() -> Any:
    """outreach.app.sequences.use."""
    return import_module("outreach.app.sequences.use")


def occasions() -> Any:
    """outreach.app.occasions.use."""
    return import_module("outreach.app.occasions.use")


def newcomers() -> Any:
    """outreach.app.newcomers."""
    return import_module("outreach.app.newcomers")


def surveys() -> Any:
    """outreach.app.surveys."""
    return import_module("outreach.app.surveys")


def explain(reason: str, lang: str) -> str:
    """What sending says about a reason code; the code itself where it says nothing."""
    return " ".join(explained(reason, lang)).strip()


def explained(reason: str, lang: str, detail: str = "") -> tuple[str, str]:
    """The same in two parts: what happened, and what to do. `detail` stands for a code that has no words."""
    try:
        texts = import_module("outreach.sending.texts")
    except ModuleNotFoundError:
        return detail or reason.replace("_", " "), ""
    told = texts.explain(reason, lang, detail)
    return told.what, told.do
