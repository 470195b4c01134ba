"""Links are checked without touching what is not public; the DNS is asked, and may stay silent."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from outreach.content.client import (
    LinkVerdict,
    SpamScore,
    Streams,
    check_links,
    domain_report,
    link_problems,
    public,
    spam_score,
)
from outreach.content.deliverability import judge
from tests.fakes.outside import spamd, zone

PUBLIC = "93.184.215.14"


async def resolver(host: str, port: int) -> Sequence[str]:
    """Names of the tests."""
    if host.startswith("gone."):
        raise socket.gaierror(socket.EAI_NONAME, "no such name")
    if host.startswith("silent."):
        raise socket.gaierror(socket.EAI_AGAIN, "try again")
    if host.startswith("inside."):
        return ["10.0.0.7"]
    if host.startswith("both."):
        return [PUBLIC, "127.0.0.1"]
    return [PUBLIC]


@asynccontextmanager
async def website(answers: dict[str, bytes], seen: list[str]) -> AsyncIterator[int]:
    """A server that answers by path; the answer None hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, path, _ = request.split(" ", 2)
        seen.append(f"{method} {path}")
        answer = answers.get(f"{method} {path}", answers.get(path, b"HTTP/1.1 200 OK\r\n\r\n"))
        if answer == b"wait":
            await reader.read()  # until the client gives up
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def verdicts(urls: list[str], answers: dict[str, bytes], seen: list[str] | None = None) -> dict[str, LinkVerdict]:
    seen = [] if seen is None else seen
    async with website(answers, seen) as port:

        async def connector(address: str, _port: int, host: str, tls: bool) -> Streams:
            assert public(address)
            return await asyncio.open_connection("127.0.0.1", port)

        return await check_links(urls, timeout=1, resolver=resolver, connector=connector)


async def test_alive_dead_and_undecided() -> None:
    answers = {
        "/moved": b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n\r\n",
        "/gone": b"HTTP/1.1 410 Gone\r\n\r\n",
        "/404": b"HTTP/1.1 404 Not Found\r\n\r\n",
        "HEAD /get-only": b"HTTP/1.1 405 No\r\n\r\n",
        "GET /get-only": b"HTTP/1.1 200 OK\r\n\r\n",
        "/broken": b"HTTP/1.1 500 Oops\r\n\r\n",
        "/garbage": b"\x00\x01\x02\r\n",
        "/endless": b"x" * 100_000,
        "/silent": b"",
        "/slow": b"wait",
    }
    seen: list[str] = []
    site = "https://shop.lumen-lights.com"
    found = await verdicts([f"{site}{path.split()[-1]}" for path in answers] + [f"{site}/?q=1&b=ü"], answers, seen)
    assert {url.removeprefix(site): verdict.ok for url, verdict in found.items()} == {
        "/moved": True,
        "/gone": False,
        "/404": False,
        "/get-only": True,
        "/broken": None,
        "/garbage": False,
        "/endless": False,
        "/silent": False,
        "/slow": None,
        "/?q=1&b=ü": True,
    }
    assert "HEAD /moved" in seen
    assert seen.count("HEAD /") == 0  # the redirect was not followed
    assert [problem.code for problem in link_problems(found)].count("link.dead") == 5


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost/",
        "http://[::1]/",
        "http://10.1.2.3/",
        "http://169.254.169.254/latest/meta-data/",
        "http://192.168.0.1/",
        "http://100.64.0.1/",
        "http://0.0.0.0/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://127.1/",
        "http://[::ffff:127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[fe80::1]/",
        "http://[fc00::1]/",
        "http://224.0.0.1/",
        "https://inside.lumen-lights.com/",
        "https://both.lumen-lights.com/",
        "https://user@shop.lumen-lights.com/",
        "https://shop.lumen-lights.com:22/",
        "https://shop.lumen-lights.com:99999/",
        "ftp://shop.lumen-lights.com/",
        "file:///etc/passwd",
        "gopher://shop.lumen-lights.com/",
        "https:///x",
        "https://gone.lumen-lights.com/",
    ],
)
async def test_nothing_inside_is_ever_asked(url: str) -> None:
    async def refuse(address: str, port: int, host: str, tls: bool) -> Streams:
        raise AssertionError(f"connected to {address}")

    async def system(host: str, port: int) -> Sequence[str]:
        """Addresses in all their spellings, as the system's resolver reads them; names as above."""
        numeric = host[:1].isdigit() or ":" in host
        if not numeric:
            return await resolver(host, port)
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return [str(item[4][0]) for item in found]

    verdict = (await check_links([url], resolver=system, connector=refuse))[url]
    assert verdict.ok is not True
    assert verdict.ok is False or "reserved" in verdict.detail


@pytest.mark.parametrize("url", ["https://silent.lumen-lights.com/", "https://www.example.com/", "https://x.example/"])
async def test_no_answer_is_no_verdict(url: str) -> None:
    assert (await verdicts([url], {}))[url].ok is None


async def test_a_domain_is_reported_from_its_records() -> None:
    records = {
        ("sales.lumen-lights.com", "TXT"): ['"v=spf1 include:spf.provider.net -all"'],
        ("spf.provider.net", "TXT"): ['"v=spf1 a mx include:more.provider.net ~all"'],
        ("more.provider.net", "TXT"): ['"v=spf1 ip4:192.0.2.0/24 -all"'],
        ("sales.lumen-lights.com", "MX"): ["10 mx.provider.net."],
        ("_dmarc.lumen-lights.com", "TXT"): ['"v=DMARC1; p=reject; " "rua=mailto:d@lumen-lights.com"'],
        ("s1._domainkey.sales.lumen-lights.com", "TXT"): [f'"v=DKIM1; p={"A" * 200}" "{"A" * 192}"'],
        ("1.2.0.192.in-addr.arpa", "PTR"): ["mail.lumen-lights.com."],
    }
    async with zone(records) as asked:
        facts = await domain_report(
            "sales.lumen-lights.com",
            selectors=["s1"],
            provider_spf="spf.provider.net",
            relay_address="192.0.2.1",
            resolver=asked,
        )
    assert facts.spf_lookups == 4
    assert facts.ptr == "mail.lumen-lights.com."
    assert facts.dmarc["lumen-lights.com"] == ["v=DMARC1; p=reject; rua=mailto:d@lumen-lights.com"]
    assert facts.dmarc["com"] == []
    assert [problem.code for problem in judge(facts)] == []


async def test_a_silent_resolver_says_nothing() -> None:
    async with zone({}) as asked:
        facts = await domain_report("silent.lumen-lights.com", resolver=asked, timeout=0.2)
    assert facts.spf is None
    assert facts.mx is None
    assert judge(facts) == []


async def test_the_score_of_a_spam_filter_where_one_runs() -> None:
    answer = b"SPAMD/1.1 0 EX_OK\r\nContent-length: 25\r\nSpam: True ; 6.4 / 5.0\r\n\r\nHTML_MESSAGE,URG_BIZ\r\n"
    async with spamd(answer) as port:
        assert await spam_score(b"mail\r\n", port=port) == SpamScore(6.4, 5.0, ("HTML_MESSAGE", "URG_BIZ"))
    async with spamd(b"nonsense\r\n") as port:
        assert await spam_score(b"mail\r\n", port=port) is None
    assert await spam_score(b"mail\r\n", port=port) is None  # nobody listens there any more
