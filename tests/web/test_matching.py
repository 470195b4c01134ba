"""What is typed into a search field finds letters of any language, large or small, on both databases."""

from __future__ import annotations

from sqlalchemy import select

from outreach.model import Company
from outreach.model.base import table
from outreach.web.data.matching import phones, says
from tests.crm.conftest import NOW, Firm
from tests.crm.conftest import firm as firm
from tests.events.seeds import add

COMPANIES = table(Company)
NAMES = (
    "Éclairage Delmas SARL",
    "宁波明旭灯具有限公司",
    "Świetlny Dom",
    "Световой дом",
    "Light 50% Off_Co",
    "日本電光株式会社",
)
TYPED = {
    "éclairage": [0], "ÉCLAIRAGE DELMAS": [0], "clairage": [0], "灯具": [1], "明旭灯": [1], "具灯": [], "świetlny dom": [2],
    "СВЕТОВОЙ": [3], "дом": [3], "50%": [4], "0% o": [4], "%": [4], "_": [4], "電光": [5], "light": [4],
}  # fmt: skip


async def test_search_knows_letters_of_any_language(firm: Firm) -> None:
    async with firm.db.write() as conn:
        ids = [await add(conn, Company, name=name, key=f"n:{n}", created_at=NOW) for n, name in enumerate(NAMES)]
        for typed, hits in TYPED.items():
            query = select(COMPANIES.c.id).where(says(typed, COMPANIES.c.name), COMPANIES.c.id.in_(ids))
            found = list(await conn.scalars(query.order_by(COMPANIES.c.id)))
            assert found == [ids[hit] for hit in hits], typed


NUMBERS = ("+49 (0)30 / 901 820-0", "030.9018200", "+86-760-2233-4455", "13800138000", None)
DIALLED = {
    "+49 30 9018200": [0, 1], "9018200": [0, 1], "030 901820": [0, 1], "0049309018200": [0, 1], "076022334455": [2],
    "2233 4455": [2], "+86 138 0013 8000": [3], "（0760）2233-4455": [2], "0013": [], "LED 50": [], "2026-11-30": [],
}  # fmt: skip


async def test_a_telephone_number_is_found_by_its_digits_however_it_is_written(firm: Firm) -> None:
    async with firm.db.write() as conn:
        ids = [
            await add(conn, Company, name=f"Firm {n}", key=f"p:{n}", phone=number, created_at=NOW)
            for n, number in enumerate(NUMBERS)
        ]
        for typed, hits in DIALLED.items():
            query = select(COMPANIES.c.id).where(phones(typed, COMPANIES.c.phone), COMPANIES.c.id.in_(ids))
            found = list(await conn.scalars(query.order_by(COMPANIES.c.id)))
            assert found == [ids[hit] for hit in hits], typed
