from hypothesis import given, settings
from hypothesis import strategies as st

from coslocal.scf.output import LONGEST_LINE, MOST_BYTES, MOST_LINES, Output


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def lines_of(*pieces: bytes, now: Time | None = None) -> list[str]:
    lines: list[str] = []
    output = Output(lines.append, now or Time())
    for piece in pieces:
        output.feed(piece)
    output.finish()
    return lines


@settings(deadline=None)
@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=30).filter(bool), data=st.data())
def test_lines_are_whole_however_the_bytes_arrive(text: str, data: st.DataObject) -> None:
    sent = f"{text}\n{text}".encode()
    cut = data.draw(st.integers(0, len(sent)))
    assert lines_of(sent[:cut], sent[cut:]) == [text, text]


def test_a_long_line_is_cut_at_eight_kilobytes_and_the_next_one_is_whole() -> None:
    assert lines_of(b"x" * 100_000, b"x" * 100_000 + b"\nnext\n") == ["x" * LONGEST_LINE, "next"]


def test_bytes_that_are_no_text_do_no_harm() -> None:
    assert lines_of(b"\xff\xfe\n") == ["��"]


def test_a_flood_is_dropped_and_one_line_says_so() -> None:
    lines = lines_of(b"line\n" * (MOST_LINES + 100))
    assert lines[: MOST_LINES + 1][-1] != "line"
    assert len(lines) == MOST_LINES + 1
    assert sum(len(line) for line in lines_of(b"x" * 8000 + b"\n", *[b"x" * 8000 + b"\n"] * 1000)) < MOST_BYTES + 200


def test_after_five_seconds_lines_come_through_again() -> None:
    now, lines = Time(), list[str]()
    output = Output(lines.append, now)
    output.feed(b"line\n" * (MOST_LINES * 2))
    now.now = 5.0
    output.feed(b"again\n")
    assert lines[-1] == "again"
