import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.patterns import PatternInvalid, parse


def test_a_pattern_says_the_same_in_posix_without_a_backslash() -> None:
    assert parse("^https?://[^ ]+$").posix == "^(https?://[^ ]+)$"
    assert parse(r"^v[0-9]+\.[0-9]+$").posix == "^(v[0-9]+[.][0-9]+)$"
    assert parse("(?:ab|cd){2,3}").posix == "^((ab|cd){2,3})$"
    assert parse("a|b").posix == "^(a|b)$"


def test_a_pattern_knows_the_longest_value_it_takes() -> None:
    assert parse("^[0-9a-f]{24}$").max_bytes == 24
    assert parse("^ab?(c|def){1,2}$").max_bytes == 8
    assert parse("^[ä]$").max_bytes == 4
    assert parse("^ä$").max_bytes == 2
    assert parse("^a[^b]$").max_bytes == 5
    assert parse("^a+$").max_bytes is None
    assert parse("^a{2,}$").max_bytes is None
    assert parse("").max_bytes == 0


@pytest.mark.parametrize(
    ("pattern", "what"),
    [
        (r"\d{4}", "read differently"),
        ("a.b", "not part of"),
        ("(?=a)", "look-around"),
        ("(?P<n>a)", "look-around"),
        ("a+?", "lazy"),
        ("(a", "too early"),
        ("a)", "closes nothing"),
        ("[a", "too early"),
        ("[]", "empty set"),
        (r"[\d]", "inside a set"),
        ("*a", "not part of"),
        ("a{x}", "no count"),
        ("a{3,2}", "no count"),
        ("a{256}", "above 255"),
        ("a^b", "not part of"),
        ("a\\", "too early"),
    ],
)
def test_what_engines_read_differently_is_refused(pattern: str, what: str) -> None:
    with pytest.raises(PatternInvalid, match=what):
        parse(pattern)


@st.composite
def _patterns(draw: st.DrawFn) -> str:
    atom = st.sampled_from(["a", "b", "ä", r"\.", r"\+", "[ab]", "[^a]", "[0-9]", "-", "/"])
    quantifier = st.sampled_from(["", "?", "*", "+", "{2}", "{1,2}"])
    whole = "".join(draw(atom) + draw(quantifier) for _ in range(draw(st.integers(1, 4))))
    return f"^({whole}|{draw(atom)})$" if draw(st.booleans()) else f"^{whole}$"


@given(pattern=_patterns(), value=st.text(alphabet="ab.ä+-/7 ", max_size=8))
def test_the_posix_form_and_the_width_agree_with_the_pattern(pattern: str, value: str) -> None:
    read = parse(pattern)
    matches = re.fullmatch(pattern, value) is not None
    assert (re.fullmatch(read.posix, value) is not None) == matches
    assert "\\" not in read.posix
    if matches and read.max_bytes is not None:
        assert len(value.encode()) <= read.max_bytes
