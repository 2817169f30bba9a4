"""The automaton of glob patterns against the matcher that runs in the function."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from derivo import globs
from derivo.globs import Class, Literal
from derivo_cli.proof.alphabet import Alphabet
from derivo_cli.proof.patterns import PatternAutomaton, Selection, Wanted

PIECES = ["a", "é", "/", ".", "*", "**", "?", "[aé]", "[!a]", "[b-y]", "😀", "**/"]
KEYS = st.text("aébz/.😀İ", max_size=8)


@st.composite
def patterns(draw: st.DrawFn) -> globs.Glob:
    text = "".join(draw(st.lists(st.sampled_from(PIECES), min_size=1, max_size=6)))
    while "***" in text:
        text = text.replace("***", "**")
    return globs.parse(text)


@settings(deadline=None)
@given(st.lists(patterns(), max_size=3), st.lists(patterns(), max_size=3), st.lists(KEYS, min_size=1, max_size=20))
def test_included_and_not_excluded(include: list[globs.Glob], exclude: list[globs.Glob], keys: list[str]) -> None:
    tokens = [token for glob in (*include, *exclude) for token in glob.tokens]
    literal = {char for token in tokens if isinstance(token, Literal) for char in token.text}
    ranges = [pair for token in tokens if isinstance(token, Class) for pair in token.ranges]
    alphabet = Alphabet(map(ord, literal | set("/.aébz😀İ")), ranges)
    groups = (tuple(glob.tokens for glob in include),) if include else ()
    automaton = PatternAutomaton(alphabet, Wanted(Selection(groups, tuple(glob.tokens for glob in exclude))))
    for key in keys:
        expected = (not include or any(glob.match(key) for glob in include)) and not any(g.match(key) for g in exclude)
        assert (automaton.start_after(key) in automaton.accepting) == expected


@settings(deadline=None)
@given(st.text(max_size=3), st.lists(st.tuples(st.characters(), st.characters()), max_size=4), st.characters())
def test_some_letter_speaks_for_every_character(named: str, pairs: list[tuple[str, str]], char: str) -> None:
    ranges = [(min(map(ord, pair)), max(map(ord, pair))) for pair in pairs]
    alphabet = Alphabet(map(ord, named), ranges)
    letters = [
        letter
        for letter in alphabet.sorted
        if (letter == ord(char) or (chr(letter) not in named and char not in named))
        and all((low <= letter <= high) == (low <= ord(char) <= high) for low, high in ranges)
    ]
    assert letters
    assert all(letter not in range(0xD800, 0xE000) for letter in alphabet.sorted)
