"""The regional view: every figure leads to what it was counted from, and only to what may be seen."""

from __future__ import annotations

import re

from tests.web.house import House


async def test_every_figure_of_a_region_leads_to_its_rows(house: House) -> None:
    async with house.visitor("sun.qian") as sun:
        page = (await sun.get("/customers/regions?days=365")).text
        links = set(re.findall(r'href="(/(?:customers|contacts)[^"]*region[^"]*)"', page))
        kinds = {link.partition("?")[0] for link in links}
        assert {"/customers", "/contacts", "/customers/deals", "/customers/orders"} <= kinds
        for link in links:
            assert (await sun.get(link.replace("&amp;", "&"))).status_code == 200, link
        europe = (await sun.get("/customers/deals?scope=all&region=Europe")).text
        assert "Harbour floodlights" not in europe  # of a customer in the Middle East
        orders = (await sun.get("/customers/orders?region=Europe&days=365")).text
        assert "MX-26-0002" in orders
        assert "MX-26-0003" not in orders
        assert "MX-26-0001" not in (await sun.get("/customers/orders?region=Europe&days=90")).text
        assert "MX-26-0003" in (await sun.get("/customers/orders?region=Nowhere")).text  # no region: all
