"""The cases of each security class, counted by collecting the tests that show it: ``python -m tests.security`` writes
the column into docs/security.md, tests/test_docs.py fails while it is stale.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "security.md"
VIEWS = "tests/tracking/test_views.py"
SECURITY, LOGIN, STORE = "tests/web/test_security.py", "tests/access/test_login.py", "tests/access/test_store.py"
GUESSING = "tests/access/test_guessing.py"

#: Class, as the page names it → the files, or the tests in them, whose cases are counted.
CLASSES: Mapping[str, tuple[str, ...]] = {
    "access, wrote-then-403": ("tests/web/test_matrix.py", "tests/web/test_matrix_api.py", "tests/web/test_objects.py"),
    "CSRF": (f"{SECURITY}::test_csrf", f"{SECURITY}::test_a_token_of_another_session_is_refused", f"{SECURITY}::test_undo_cannot_be_forged_or_taken_over"),
    "XSS": (f"{SECURITY}::test_pages_carry_the_policy_and_no_inline_script", f"{SECURITY}::test_nothing_is_loaded_from_elsewhere", f"{SECURITY}::test_hostile_names_are_shown_as_text", f"{SECURITY}::test_received_html_is_harmless", f"{SECURITY}::test_the_original_of_a_mail_is_framed_without_rights"),
    "template injection": ("tests/content/test_hostile.py",),
    "header injection": ("tests/content/test_compose.py::test_header_injection_is_refused", "tests/tracking/signup/test_form.py::test_no_control_character_comes_near_a_header"),
    "unsubscribe IDOR, enumeration": ("tests/tracking/test_tokens.py", f"{VIEWS}::test_known_and_unknown_tokens_get_the_same_page", f"{VIEWS}::test_a_token_of_one_kind_opens_no_other_door", f"{VIEWS}::test_the_pixel_is_the_same_for_every_token", f"{VIEWS}::test_a_guess_is_never_echoed"),
    "traversal": ("tests/app/test_authoring.py::test_no_name_leads_outside", "tests/content/test_versions.py::test_names_cannot_lead_outside", "tests/config/test_write.py::test_a_secret_stays_in_its_folder"),
    "SQL injection": (f"{SECURITY}::test_sql_in_every_parameter_finds_nothing_and_breaks_nothing", f"{SECURITY}::test_five_hundred_payloads_find_nothing_and_break_nothing"),
    "session": (f"{LOGIN}::test_a_session_holds_and_ends", f"{LOGIN}::test_a_change_ends_sessions_at_once", f"{SECURITY}::test_changes_end_sessions_at_once", "tests/web/test_login.py::test_the_cookie_is_hidden_from_scripts_and_other_sites", "tests/web/test_login.py::test_logging_out_ends_the_session"),
    "guessing": (f"{GUESSING}::test_guesses_at_once_are_held_off_like_guesses_in_a_row", f"{GUESSING}::test_several_processes_let_no_more_guesses_in", f"{GUESSING}::test_two_tabs_log_in_at_once", f"{LOGIN}::test_guessing_is_held_off_and_the_right_password_waits_too", f"{LOGIN}::test_unknown_and_known_names_answer_alike", f"{LOGIN}::test_a_name_that_nobody_has_is_held_off_like_a_real_one", f"{LOGIN}::test_so_many_strange_names_are_remembered_and_no_more", f"{LOGIN}::test_weak_passwords_are_refused_and_new_ones_are_not", "tests/access/test_secrets.py::test_passwords", "tests/access/test_secrets.py::test_the_wait_doubles_and_ends"),
    "company login (OIDC)": ("tests/web/test_oidc.py",),
    "second factor": (f"{LOGIN}::test_the_second_factor", f"{GUESSING}::test_the_right_password_costs_nothing_and_clears_no_guesses", f"{GUESSING}::test_a_code_lets_one_in_and_no_second", f"{GUESSING}::test_guesses_at_the_code_are_held_off_too", f"{GUESSING}::test_what_an_older_page_saves_makes_no_used_code_good", "tests/web/test_login.py::test_the_second_factor_is_a_second_page", "tests/access/test_secrets.py::test_recovery_codes_may_be_typed_as_people_do"),
    "API tokens": ("tests/web/test_api.py", f"{LOGIN}::test_api_tokens_are_scoped_expire_and_are_revoked"),
    "open redirect": ("tests/web/test_login.py::test_no_way_out_to_other_sites", f"{SECURITY}::test_redirects_stay_here", "tests/tracking/test_destination.py"),
    "formula injection": (f"{SECURITY}::test_cells_are_no_formulas", f"{SECURITY}::test_plain_cells_stay", "tests/reports/test_workbook.py::test_a_formula_from_outside_is_text"),
    "SSRF": ("tests/webhooks/test_client.py", "tests/content/test_client.py::test_nothing_inside_is_ever_asked", "tests/web/test_setup.py::test_a_mail_server_inside_is_not_taken_from_a_form"),
    "resource exhaustion": (f"{SECURITY}::test_bodies_over_the_limit_are_refused", "tests/web/test_concern.py::test_a_program_is_held_back_and_a_trap_keeps_nothing", "tests/web/test_concern.py::test_all_networks_together_are_bounded_too_and_it_can_be_switched_off"),
    "secrets": ("tests/web/test_canaries.py", "tests/app/test_logs.py", f"{SECURITY}::test_passwords_and_tokens_stand_in_no_page", f"{LOGIN}::test_tokens_are_stored_hashed", f"{STORE}::test_the_trail_holds_and_hides_secrets"),
    "acts off the record": ("tests/web/test_trail.py",),
    "overwriting unknowingly": ("tests/web/test_rows.py",),
    "reporter's identity": ("tests/web/test_concern.py",),
    "personal data left behind": ("tests/audience/test_privacy_everywhere.py", "tests/audience/test_privacy_unlinked.py", "tests/app/test_retention.py"),
    "audit": ("tests/access/test_audit.py", "tests/access/test_tampering.py", STORE),
}  # fmt: skip


def collected(files: Iterable[str]) -> list[str]:
    """The ids of every test in these files, as pytest collects them."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        raise RuntimeError(done.stdout[-2000:] + done.stderr[-2000:])
    return [line.strip() for line in done.stdout.splitlines() if "::" in line]


def counts() -> dict[str, int]:
    """Class → cases. Raises LookupError for a test that is not there any more."""
    ids = collected(sorted({name.partition("::")[0] for names in CLASSES.values() for name in names}))
    found = {}
    for title, names in CLASSES.items():
        for name in names:
            if not any(_is(one, name) for one in ids):
                raise LookupError(f"{title}: there is no test {name}")
        found[title] = sum(any(_is(one, name) for name in names) for one in ids)
    return found


def _is(one: str, name: str) -> bool:
    return one.split("[")[0] == name or one.startswith(f"{name}::")


def page() -> str:
    """docs/security.md with its last column as it is now. Raises LookupError for a row that has no tests here."""
    known, lines = counts(), []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        row = re.fullmatch(r"\| ([^|]+) \| (.+) \| [^|]+ \|", line)
        if row and row[1] not in ("class", "---"):
            line = f"| {row[1]} | {row[2]} | {known.pop(row[1])} |"
        lines.append(line)
    if known:
        raise LookupError(f"docs/security.md has no row for {', '.join(known)}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
