"""config.toml is read, or refused with the place and the remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from outreach.config import ConfigError, SecretRef, find_config, load, presets

ROOT = Path(__file__).resolve().parents[2]
MAILBOX = '[[mailbox]]\nname = "sales"\naddress = "sales@firm.example"\n'


def config(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as refused:
        load(config(folder, text))
    return str(refused.value)


def test_the_example_is_valid():
    settings = load(ROOT / "config.example.toml")
    assert settings.mailbox[0].name == "sales"
    assert settings.database_url.startswith("sqlite:////"), "a relative file lies beside the configuration"


def test_an_empty_file_has_every_default(tmp_path):
    settings = load(config(tmp_path, ""))
    assert settings.database_url == f"sqlite:///{tmp_path}/data/outreach.db"
    assert settings.limits.per_contact.mails == 3
    assert [role.value for role in settings.approval.roles] == ["marketing_lead", "business_lead", "legal"]


def test_a_byte_order_mark_is_no_key(tmp_path):
    assert load(config(tmp_path, '\ufeff[sender]\ncompany = "灯"\n')).sender.company == "灯"


def test_an_unknown_key_is_named_with_its_line_and_a_guess(tmp_path):
    said = refusal(tmp_path, '[tracking]\n\nbase_ur = "https://t.firm.example"\n')
    assert "config.toml:3:" in said
    assert "did you mean base_url?" in said


def test_a_wrong_value_is_named_with_its_line(tmp_path):
    said = refusal(tmp_path, f'{MAILBOX}smtp = {{ host = "h", port = 0 }}\nconnections = 0\n')
    assert "config.toml:5: mailbox.0.connections" in said
    assert "config.toml:4: mailbox.0.smtp.port" in said


def test_broken_toml_names_the_line(tmp_path):
    assert "line 2" in refusal(tmp_path, "[tracking]\nbase_url = \n")


def test_two_mailboxes_may_not_share_a_name(tmp_path):
    box = MAILBOX + 'smtp = { host = "127.0.0.1", port = 25, tls = "none" }\n'
    assert "two mailboxes are named sales" in refusal(tmp_path, box + box)


def test_a_password_in_the_file_is_refused_and_not_repeated(tmp_path):
    said = refusal(tmp_path, f'{MAILBOX}provider = "zoho"\npassword = "pearl-diver"\n')
    assert "a password never stands in the file" in said
    assert "pearl-diver" not in said


def test_plain_text_only_on_loopback(tmp_path):
    box = f'{MAILBOX}smtp = {{ host = "mx.firm.example", port = 25, tls = "none" }}\n'
    assert "loopback only" in refusal(tmp_path, box)


@pytest.mark.parametrize("provider", sorted(presets()))
def test_every_preset_makes_a_mailbox(tmp_path, provider):
    own = 'smtp = { host = "mx.firm.example", port = 465 }\n' if provider == "generic" else ""
    box = load(config(tmp_path, f'{MAILBOX}provider = "{provider}"\n{own}')).mailbox[0]
    assert box.smtp.host
    assert box.smtp.tls != "none"


def test_own_keys_win_over_the_preset(tmp_path):
    box = load(config(tmp_path, f'{MAILBOX}provider = "zoho"\nsmtp = {{ port = 587, tls = "starttls" }}\n')).mailbox[0]
    assert (box.smtp.port, box.smtp.tls) == (587, "starttls")
    assert "zoho" in box.smtp.host


def test_the_environment_wins_over_the_file(tmp_path, monkeypatch):
    monkeypatch.setenv("OUTREACH_TRACKING__BASE_URL", "https://env.firm.example/")
    settings = load(config(tmp_path, '[tracking]\nbase_url = "https://file.firm.example"\nclicks = false\n'))
    assert settings.tracking.base_url == "https://env.firm.example"
    assert not settings.tracking.clicks


def test_secrets_come_from_environment_or_closed_file(tmp_path, monkeypatch):
    monkeypatch.setenv("SALES_PASSWORD", "s3cret")
    assert SecretRef(env="SALES_PASSWORD").read() == "s3cret"
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    secret.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        SecretRef(file=str(secret)).read()
    secret.chmod(0o600)
    assert SecretRef(file=str(secret)).read() == "s3cret"
    with pytest.raises(ConfigError, match="is not set"):
        SecretRef(env="NO_SUCH_VARIABLE_HERE").read()


def test_a_missing_file_says_what_to_run(tmp_path, monkeypatch):
    monkeypatch.delenv("OUTREACH_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="outreach init"):
        find_config()
