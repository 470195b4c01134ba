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


async def test_who_sees_the_figures_alone_is_offered_no_link_that_is_refused(house: House) -> None:
    async with house.visitor("ma.jun") as auditor:
        page = (await auditor.get("/customers/regions?days=365")).text
        links = {link.replace("&amp;", "&") for link in re.findall(r'href="(/(?:customers|contacts)[^"]*)"', page)}
        assert links
        for link in links:
            assert (await auditor.get(link)).status_code == 200, link
