"""SSRF: what is not public is not posted to, whatever its spelling; no redirect is followed."""

from __future__ import annotations

import asyncio

import pytest

from outreach.webhooks.client import AddressRefused, checked, deliver
from tests.webhooks.receiver import Receiver, running_receiver

REFUSED = [
    "http://hook.example.net/", "ftp://hook.example.net/", "https://user:pw@hook.example.net/", "https://hook.example.net:22/",
    "https://", "javascript:alert(1)", "https://hook.example.net:99999/", "https://hook.example.net/\r\nX: y", "file:///etc/passwd",
    "gopher://hook.example.net/", "https://hook .example.net/", "//hook.example.net/",
]  # fmt: skip
PRIVATE = [
    "https://127.0.0.1/", "https://10.0.0.1/", "https://172.16.0.1/", "https://192.168.1.1/", "https://169.254.169.254/latest/",
    "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[fd00::1]/", "https://[fe80::1]/", "https://0.0.0.0/",
    "https://100.64.0.1/", "https://[64:ff9b::7f00:1]/", "https://inside.example.net/", "https://both.example.net/",
    "https://224.0.0.1/", "https://[2002:7f00:1::]/",
]  # fmt: skip


@pytest.mark.parametrize("url", REFUSED)
def test_addresses_that_are_not_even_resolved(url: str) -> None:
    with pytest.raises(AddressRefused):
        checked(url)


@pytest.mark.parametrize("url", PRIVATE)
async def test_private_addresses_are_not_connected_to(url: str) -> None:
    async def connector(*_: object) -> object:
        raise AssertionError("connected")

    receiver = Receiver()
    answer = await deliver(url, {}, b"{}", resolver=receiver.resolver, connector=connector)  # type: ignore[arg-type]
    assert (answer.status, answer.detail) == (0, "refused: private")


@pytest.mark.parametrize("answer", ["301 Moved", "302 Found", "307 Temporary Redirect", "404 Not Found", "500 Oops"])
async def test_what_is_no_2xx_is_no_delivery_and_nothing_is_followed(answer: str) -> None:
    async with running_receiver(f"{answer}\r\nLocation: http://169.254.169.254/") as receiver:
        url = "https://hook.example.net/in?x=1"
        got = await deliver(url, {"A": "b"}, b"{}", resolver=receiver.resolver, connector=receiver.connector)
        assert not got.taken
        assert got.status == int(answer[:3])
        assert len(receiver.got) == 1
        assert receiver.got[0][0] == "POST /in?x=1 HTTP/1.1"
        assert len(receiver.asked) == 1, "resolved once: what was checked is what is connected to"


async def test_the_companys_own_hosts_may_be_named() -> None:
    async with running_receiver() as receiver:
        url = f"http://127.0.0.1:{receiver.port}/erp"
        assert (await deliver(url, {}, b"{}")).detail == "refused: scheme"
        assert (await deliver(url, {}, b"{}", own_hosts={"127.0.0.1"})).taken


async def test_garbage_and_silence_are_answers_too() -> None:
    async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x00\xff" * 9000)
        writer.close()

    server = await asyncio.start_server(garbage, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        assert (await deliver(url, {}, b"{}", own_hosts={"127.0.0.1"})).status == 0
    assert (await deliver(url, {}, b"{}", own_hosts={"127.0.0.1"})).detail == "ConnectionRefusedError"
