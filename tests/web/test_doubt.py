"""The page of what is in doubt: what is known, settling several at once, who may."""

from __future__ import annotations

from sqlalchemy import func, select, update

from outreach.web.data.tables import MAILBOX, MESSAGE
from tests.web.house import House


async def doubtful(house: House) -> list[int]:
    async with house.db.read() as conn:
        return list(await conn.scalars(select(MESSAGE.c.id).where(MESSAGE.c.state == "in_doubt")))


async def states(house: House, ids: list[int]) -> set[str]:
    async with house.db.read() as conn:
        return set(await conn.scalars(select(MESSAGE.c.state).where(MESSAGE.c.id.in_(ids))))


async def test_it_shows_every_doubt_with_what_is_known(house: House) -> None:
    ids = await doubtful(house)
    assert ids
    async with house.visitor("li.na") as visitor:
        page = (await visitor.get("/doubt")).text
        assert page.count('name="id"') == len(ids)
        assert "not known to file what it sends" in page
        async with house.db.write() as conn:
            await conn.execute(update(MAILBOX).values(probe={"files": True, "folder": "Sent"}))
        assert "Sent has not been read since" in (await visitor.get("/doubt")).text


async def test_several_are_settled_at_once(house: House) -> None:
    ids = await doubtful(house)
    async with house.visitor("li.na") as visitor:
        answer = await visitor.post("/doubt", {"answer": "sent", "id": [str(number) for number in ids]})
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/doubt")
        assert "Nothing is in doubt" in (await visitor.get("/doubt")).text
    assert await states(house, ids) == {"sent"}


async def test_an_answer_that_does_not_exist_changes_nothing(house: House) -> None:
    ids = await doubtful(house)
    async with house.visitor("li.na") as visitor:
        assert (await visitor.post("/doubt", {"answer": "perhaps", "id": [str(ids[0])]})).status_code == 404
        assert (await visitor.post("/doubt", {"answer": "sent"})).status_code == 303
    assert await states(house, ids) == {"in_doubt"}


async def test_a_salesperson_settles_only_what_is_hers(house: House) -> None:
    ids = await doubtful(house)
    async with house.visitor("zhou.yang") as visitor:
        await visitor.post("/doubt", {"answer": "failed", "id": [str(number) for number in ids]})
    assert await states(house, ids) == {"in_doubt"}


async def test_a_technician_settles_but_does_not_send_again(house: House) -> None:
    ids = await doubtful(house)
    chosen = [str(number) for number in ids]
    async with house.visitor("tang.ke") as visitor:
        assert 'value="retry"' not in (await visitor.get("/doubt")).text
        await visitor.post("/doubt", {"answer": "retry", "id": chosen})
        assert await states(house, ids) == {"in_doubt"}
        await visitor.post("/doubt", {"answer": "failed", "id": chosen})
    assert await states(house, ids) == {"failed"}


async def test_who_audits_sees_it_and_has_no_buttons(house: House) -> None:
    async with house.visitor("ma.jun") as visitor:
        page = await visitor.get("/doubt")
        assert page.status_code == 200
        assert 'value="retry"' not in page.text
    async with house.db.read() as conn:
        assert await conn.scalar(select(func.count()).where(MESSAGE.c.state == "in_doubt")) == len(
            await doubtful(house)
        )
