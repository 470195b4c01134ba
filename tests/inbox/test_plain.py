"""HTML as a person would read it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.inbox.plain import html_to_text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("no tags", "no tags"),
        ("<p>a</p><p>b</p>", "a\n\nb"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a b"),
        ("<head><title>t</title></head><body>x<style>y</style><script>z</script></body>", "x"),
        ("a <!-- hidden --> b", "a b"),
        ("1 &lt; 2 &amp; 3&nbsp;", "1 < 2 & 3"),
        ("a < b and c > d", "a < b and c > d"),
    ],
)
def test_html_to_text(source: str, text: str):
    assert html_to_text(source) == text


@given(st.text(alphabet="<>/!-abp =\"'&;\n", max_size=300))
def test_it_never_raises(source: str):
    assert isinstance(html_to_text(source), str)
