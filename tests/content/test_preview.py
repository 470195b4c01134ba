"""Previews under other conditions."""

from __future__ import annotations

from outreach.content.preview import in_scheme, without_images

PAGE = (
    "<style>:root { color-scheme: light dark; } p{color:black}"
    "@media (prefers-color-scheme: dark) { p{color:white} }@media (prefers-color-scheme:light) { p{margin:0} }</style>"
)


def test_a_scheme_is_forced_whatever_the_screen_is() -> None:
    dark, light = in_scheme(PAGE, "dark"), in_scheme(PAGE, "light")
    assert "@media all { p{color:white} }@media not all { p{margin:0} }" in dark
    assert "color-scheme: dark;" in dark
    assert "@media not all { p{color:white} }@media all { p{margin:0} }" in light


def test_images_are_off_and_their_words_stay() -> None:
    page = without_images(
        '<td background="https://i.net/b.png" style="background:url(https://i.net/c.png)">'
        '<img src="https://i.net/a.png" alt="A lamp" style="width:9px"></td>'
    )
    assert "https://" not in page
    assert 'alt="A lamp"' in page
    assert "dashed" in page
