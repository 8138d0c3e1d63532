from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.markup import plain, read


@pytest.mark.parametrize(
    ("html", "text"),
    [
        (None, None),
        ("", None),
        ("<p></p><p> </p>", None),
        ("plain  words\nin lines", "plain words in lines"),
        ("a &lt;b&gt; &#8217; &amp;amp;", "a <b> \u2019 &amp;"),
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("<p>one<br>two<br/>\nthree</p>", "one\ntwo\nthree"),
        ("one<br><br>two", "one\n\ntwo"),
        ("<ul>\n<li>one</li>\n<li>two <b>and</b> a half</li>\n</ul>\n<p>three</p>", "one\ntwo and a half\n\nthree"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("<table><tr><td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr></table>", "1 2\n3 4"),
        ("<p>seen<script>alert(1)</script><style>p{}</style></p>", "seen"),
        ("<p>cut <b>off", "cut off"),
        ("<em>a</em> <em>b</em>", "a b"),
    ],
)
def test_text_is_what_a_reader_sees(html: str | None, text: str | None) -> None:
    assert read(html).text == text


def test_links_are_kept_once_and_without_those_the_server_makes() -> None:
    html = (
        '<a href="https://city.example/?a=1&amp;b=2">x</a> <a href="https://city.example/?a=1&amp;b=2">y</a> <a href="#top">z</a>'
        '<a class="u-url mention" href="https://s.example/@u">@u</a><a class="mention hashtag" href="https://s.example/tags/t">#t</a>'
    )
    assert read(html).links == ["https://city.example/?a=1&b=2"]


def test_a_title_is_one_line() -> None:
    assert plain("Snow<br>&amp; <i>Ice</i>\n") == "Snow & Ice"


def test_nesting_without_end_is_read_without_its_structure() -> None:
    assert read("<div>" * 200_000 + "deep &amp; dark").text == "deep & dark"
    assert read("<div>" * 1_000 + "<a href=x>deep</a>").links == ["x"]


def test_a_long_page_is_not_taken_for_a_deep_one() -> None:
    assert read("<p>line<br></p>" * 5_000 + "<a href=x>end</a>").links == ["x"]


@given(st.text())
def test_text_without_markup_keeps_its_words(text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    words = [word for word in text.replace("\x00", "").split() if word]
    assert (read(escaped).text or "").replace("\x00", "").split() == words


@given(
    st.lists(
        st.sampled_from(
            ["<p>", "</p>", "<br>", "<li>", "<a href=x>", "</a>", "<td>", "<img src=y>", "&", "a", " ", "<"]
        )
    )
)
def test_no_markup_makes_it_raise(pieces: list[str]) -> None:
    read("".join(pieces))
