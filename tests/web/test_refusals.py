"""What is refused, and what the system calls its tasks, in the reader's language."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

from outreach.config import ConfigError, SecretRef, load
from outreach.crm.enrolment import state as enrolment
from outreach.crm.occasion import state as occasion
from outreach.model import InboundMail, Suppression, Task
from outreach.model.base import table
from outreach.model.keys import address_key
from outreach.model.task_titles import TITLES, both, shown
from tests.web.house import SECRET, House

TASKS, INBOUND = table(Task), table(InboundMail)
HAN = re.compile("[\u4e00-\u9fff]")
ENGLISH = re.compile(r"\b(?:the|is|cannot|not|already|possible)\b")


@pytest.mark.parametrize("life", [enrolment, occasion])
def test_what_a_state_does_not_allow_is_said_in_chinese(life: Any) -> None:
    actions = {action for _, action in life.TRANSITIONS}
    refused = 0
    for state, action in product(life.S, sorted(actions)):
        if (state, action) in life.TRANSITIONS:
            continue
        with pytest.raises(ValueError, match=action) as error:
            life.advance(state, action)
        said = error.value.message("zh")
        assert HAN.search(said)
        assert not re.search("[a-z]", said), said
        refused += 1
    assert refused > 10


@pytest.mark.parametrize(
    "text",
    [
        '[sender]\ncompnay = "x"\n',
        '[tracking]\nbase_url = "t.example"\n',
        '[[mailbox]]\nname = "a"\naddress = "a@b.example"\nprovider = "tencent"\n',
        '[[mailbox]]\nname = "a"\naddress = "a@b.example"\nsmtp = { host = "mail.example", port = 25, tls = "none" }\n',
        '[[mailbox]]\nname = "a"\naddress = "a@b.example"\npassword = "x"\nsmtp = { host = "127.0.0.1", port = 25 }\n',
        '[[mailbox]]\nname = "a"\naddress = "a@b.example"\n',
    ],
)
def test_a_wrong_configuration_is_told_in_chinese(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.toml").write_text(text)
    with pytest.raises(ConfigError) as refused:
        load(tmp_path / "config.toml")
    said = refused.value.message("zh")
    assert HAN.search(said)
    assert not ENGLISH.search(said), said
    assert str(refused.value) == refused.value.message("en")


def test_a_secret_that_is_missing_is_told_in_chinese(tmp_path: Path) -> None:
    open_file = tmp_path / "secret"
    open_file.write_text("x")
    open_file.chmod(0o644)
    for ref in (
        SecretRef(env="OUTREACH_NO_SUCH"),
        SecretRef(file=str(tmp_path / "none")),
        SecretRef(file=str(open_file)),
    ):
        with pytest.raises(ConfigError) as refused:
            ref.read()
        assert HAN.search(refused.value.message("zh"))


@pytest.mark.parametrize(("lang", "why"), [("en", "Not sent: "), ("zh", "未发送：")])
async def test_a_greeting_that_may_not_leave_says_why(house: House, lang: str, why: str) -> None:
    key = address_key("katrin.vogel@lichtwerkbrandtgmbh.example", SECRET)
    row = {"key": key, "reason": "unsubscribed", "source": "reply", "at": house.now}
    async with house.db.write() as conn:
        await conn.execute(insert(table(Suppression)).values(row))
    async with house.visitor("zhou.yang", lang) as zhou:
        answer = await zhou.post("/greetings/1/send")
    assert answer.status_code == 409
    (said,) = re.findall(f"{why}[^<]*", answer.text)
    assert "_" not in said
    assert (lang == "zh") is not bool(re.search("[a-z]", said))


@pytest.mark.parametrize(
    ("lang", "told"), [("en", "somebody has answered this mail already"), ("zh", "已经有人回复了这封邮件")]
)
async def test_who_answers_second_is_told(house: House, lang: str, told: str) -> None:
    async with house.db.write() as conn:
        await conn.execute(update(INBOUND).where(INBOUND.c.id == 1).values(answered_at=house.now))
    async with house.visitor("zhou.yang", lang) as zhou:
        answer = await zhou.post("/inbox/1/answer", {"text": "Dear Katrin"})
    assert answer.status_code == 409
    assert told in answer.text


@pytest.mark.parametrize(("lang", "told"), [("en", "nor a domain"), ("zh", "既不是邮箱地址，也不是域名")])
async def test_no_line_of_the_suppression_list(house: House, lang: str, told: str) -> None:
    async with house.visitor("sun.qian", lang) as sun:
        assert told in (await sun.post("/settings/suppression", {"entry": "nonsense"})).text


async def test_a_task_of_the_systems_is_called_in_the_readers_language(house: House) -> None:
    async with house.db.write() as conn:
        await conn.execute(update(TASKS).where(TASKS.c.id == 3).values(title="Ring / 打电话: my own words"))
    for lang, ours, theirs in (("en", "Answer: Katrin Vogel", "回复客户"), ("zh", "回复客户：Katrin Vogel", "Answer:")):
        async with house.visitor("zhou.yang", lang) as zhou:
            for path in ("/follow-ups", "/follow-ups/plan", "/contacts/1"):
                page = (await zhou.get(path)).text
                assert ours in page, path
                assert theirs not in page, path
            assert "Ring / 打电话: my own words" in (await zhou.get("/follow-ups")).text


def test_every_title_is_told_in_either_language() -> None:
    values = {"score": 2, "owner": "周洋 (Yang)", "zh": "春节", "en": "Lunar New Year"}
    for key in TITLES:
        stored = both(key, **values)
        zh, en = TITLES[key]
        assert shown(f"{stored}: Ana: x", "zh") == f"{zh.format(**values)}：Ana: x"
        assert shown(stored, "en") == en.format(**values)
    late = f"{both('late', owner='周洋')}: {both('reply')}: Ana"
    assert shown(late, "en") == "Late (周洋): Answer: Ana"
    assert shown(late.replace(" / Late", "/ Late"), "zh") == "逾期未处理（周洋）：回复客户：Ana"
    assert shown("S-2026-00001 部门已答复 / The department has answered: Lamp", "en").startswith("S-2026-00001 The dep")
    for own in ("Call / 打电话", "回复客户", "Answer: x", ""):
        assert shown(own, "zh") == shown(own, "en") == own


@pytest.mark.parametrize(
    ("path", "form"),
    [("/greetings/new", {"name": "x"}), ("/account/second-factor", {"key": "A", "code": "000000"})],
)
async def test_a_form_that_is_not_ours_is_refused(house: House, path: str, form: dict[str, str]) -> None:
    async with house.visitor("li.na", "zh") as visitor:
        answer = await visitor.post(path, form)
        asked = await visitor.get("/greetings/new?kind=nameday")
    assert answer.status_code == 422
    assert asked.status_code == 404
