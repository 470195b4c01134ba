"""The policy files: what is shipped can be read, what is wrong is refused with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from outreach.suppression.lists import PolicyError, load_policy, read_domains, read_entries, read_roles

SHIPPED = Path(__file__).parents[2] / "suppression"


def test_the_shipped_policy_refuses_the_mail_system_and_allows_sales() -> None:
    policy = load_policy(SHIPPED)
    assert policy.never_roles >= {"postmaster", "abuse", "noreply"}
    assert not policy.never_roles & policy.flagged_roles
    assert policy.verdict("info@acme.example") is None
    assert policy.is_role("info@acme.example")
    refusal = policy.verdict("Postmaster@acme.example")
    assert refusal is not None
    assert refusal.code == "role"
    assert "邮件系统" in refusal.message("zh")


def test_domains_cover_their_subdomains_and_nothing_beside() -> None:
    policy = load_policy(SHIPPED)
    assert policy.verdict("a@mail.mailinator.com").code == "disposable"  # type: ignore[union-attr]
    assert policy.verdict("a@example.com").code == "policy"  # type: ignore[union-attr]
    assert policy.verdict("a@notmailinator.com") is None
    assert policy.verdict("a@acme.example") is None
    assert policy.verdict("noreply+tag@acme.example").code == "role"  # type: ignore[union-attr]


def test_comments_and_blank_lines_are_no_entries() -> None:
    assert read_entries("\ufeff# head\n\nA.example # why\n  b.example\n") == [(3, "a.example"), (4, "b.example")]


@pytest.mark.parametrize(
    "line", ["a b.example", "-a.example", "a..example", "*.example", "ä.example", "x" * 64 + ".example"]
)
def test_a_wrong_domain_stops_everything_with_its_line(line: str) -> None:
    with pytest.raises(PolicyError, match=r"domains\.txt line 2"):
        read_domains(f"good.example\n{line}\n", "domains.txt")


@pytest.mark.parametrize("line", ["info", "info maybe", "in fo flag", "ä never"])
def test_a_wrong_role_stops_everything_with_its_line(line: str) -> None:
    with pytest.raises(PolicyError, match=r"roles\.txt line 1"):
        read_roles(line)


def test_a_missing_folder_is_an_empty_policy(tmp_path: Path) -> None:
    assert load_policy(tmp_path / "none").verdict("abuse@mailinator.com") is None
