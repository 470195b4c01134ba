"""The pages write config.toml: comments survive, a wrong change is not kept, secrets lie in files of their own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from outreach.config import ConfigError, load
from outreach.config.write import put_mailbox, remove_mailbox, set_section, store_secret

ROOT = Path(__file__).resolve().parents[2]
BOX = {"name": "export", "address": "export@firm.example", "provider": "tencent-exmail"}


@pytest.fixture
def path(tmp_path):
    shutil.copy(ROOT / "config.example.toml", tmp_path / "config.toml")
    return tmp_path / "config.toml"


def comments(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]


def test_a_section_changes_and_every_comment_stays(path):
    before = comments(path)
    settings = set_section(
        path, "sender", {"company": "明序照明 Minxu", "postal_address": "18 Guangming Road", "website": None}
    )
    assert settings.sender.company == "明序照明 Minxu"
    assert settings.sender.website is None
    assert settings.sender.timezone == "Asia/Shanghai", "what was not named stays"
    assert comments(path) == before
    assert load(path) == settings


def test_the_first_real_mailbox_takes_the_place_of_the_example(path):
    settings = put_mailbox(path, BOX)
    assert [box.address for box in settings.mailbox] == ["export@firm.example"]
    assert settings.mailbox[0].smtp.host == "smtp.exmail.qq.com", "the preset fills in the servers"
    assert load(path).sender.company == "Example Lighting Co., Ltd.", "sections behind the mailbox are still there"
    assert load(path).limits.per_contact.mails == 3


def test_a_mailbox_is_changed_in_its_place(path):
    put_mailbox(path, BOX | {"limits": {"per_day": 400}, "password": {"file": "/x"}})
    put_mailbox(path, {"name": "info", "address": "info@firm.example", "provider": "zoho"})
    settings = put_mailbox(path, {"from_name": "Export team", "limits": None}, was="export")
    assert [box.name for box in settings.mailbox] == ["export", "info"]
    box = settings.mailbox[0]
    assert (box.from_name, box.limits.per_day) == ("Export team", 1000), "without a limit of its own the preset's holds"
    assert box.password is not None
    assert box.password.file == "/x", "what was not named stays"


def test_a_mailbox_goes(path):
    put_mailbox(path, BOX)
    assert remove_mailbox(path, "export").mailbox == []
    assert load(path).web.port == 8000


@pytest.mark.parametrize(
    "wrong",
    [
        {"provider": "nonsense"},
        {"limits": {"per_day": -1}},
        {"smtp": {"host": "mail.firm.example", "port": 25, "tls": "none"}},
    ],
)
def test_a_wrong_change_leaves_the_file_as_it_was(path, wrong):
    before = path.read_bytes()
    with pytest.raises(ConfigError, match=r"config\.toml"):
        put_mailbox(path, BOX | wrong)
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == ["config.toml"], "nothing is left beside it"


def test_a_secret_lies_in_a_file_that_only_its_owner_reads(tmp_path):
    kept = store_secret(tmp_path, "export", "小猫 pass")
    assert kept.read_text(encoding="utf-8") == "小猫 pass"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept.parent.stat().st_mode & 0o777 == 0o700
    store_secret(tmp_path, "export", "new")
    assert kept.read_text(encoding="utf-8") == "new"


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "", "x" * 90])
def test_a_secret_stays_in_its_folder(tmp_path, name):
    with pytest.raises(ConfigError):
        store_secret(tmp_path, name, "x")
    assert list(tmp_path.iterdir()) == []
