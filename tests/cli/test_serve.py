"""`outreach serve` for real: a process of its own, asked over HTTP, ended by SIGTERM."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.fakes.process import answers, free_port, wait_for
from tests.flow.house import CONFIG

ROOT = Path(__file__).parents[2]


def command(folder: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "outreach", "--config", str(folder / "config.toml"), *words]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The address of a running service, and its process."""
    folder, port = tmp_path_factory.mktemp("serve"), free_port()
    (folder / "config.toml").write_text(CONFIG.format(port=free_port()))
    subprocess.run(command(folder, "init"), cwd=ROOT, check=True, capture_output=True, timeout=60)
    with (folder / "log").open("wb") as log, (folder / "said.json").open("wb") as said:
        words = command(folder, "serve", "--port", str(port), "--json")
        process = subprocess.Popen(words, cwd=ROOT, stdout=said, stderr=log)
    try:
        wait_for(lambda: answers(port), "outreach serve", process)
        told = json.loads((folder / "said.json").read_text())
        assert told["pid"] == process.pid
        assert told["setup"].startswith(f"{told['pages']}/setup?code="), "nobody may log in yet"
        yield told["pages"], process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/healthz", 200, ""),
        ("/readyz", 200, ""),
        ("/metrics", 200, 'outreach_mailbox_active{mailbox="sales"} 1.0'),
        ("/login", 200, "<form"),
        ("/static/mark.svg", 200, "<svg"),
        ("/nowhere", 404, "<html"),
    ],
)
def test_the_service_answers(service: tuple[str, object], path: str, status: int, words: str) -> None:
    answer = httpx.get(service[0] + path, timeout=30)
    assert answer.status_code == status
    assert words in answer.text


def test_monitors_may_ask_with_head(service: tuple[str, object]) -> None:
    answer = httpx.head(service[0] + "/login", timeout=30)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-security-policy"]


def test_a_worker_says_its_number_and_ends_in_order(service: tuple[str, object], tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(CONFIG.format(port=free_port()))
    subprocess.run(command(tmp_path, "init"), cwd=ROOT, check=True, capture_output=True, timeout=60)
    with subprocess.Popen(command(tmp_path, "worker", "--json"), cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline()) == {"pid": process.pid}
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_who_is_not_logged_in_is_sent_to_the_login(service: tuple[str, object]) -> None:
    answer = httpx.get(service[0] + "/", timeout=30)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")


def test_the_script_description_is_there(service: tuple[str, object]) -> None:
    answer = httpx.get(service[0] + "/api/v1/openapi.json", timeout=30)
    assert answer.status_code in (200, 401)


def test_sigterm_ends_it_in_order(service: tuple[str, subprocess.Popen[bytes]]) -> None:
    """Last in this file: nothing answers afterwards."""
    process = service[1]
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
