"""Rows become text that is safe to print."""

import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from skactive.oracles._showing import inert, show_row

EVERY_CHARACTER = "".join(map(chr, range(0x110000)))


def test_no_character_that_acts_on_a_terminal_is_left():
    shown = set(inert(EVERY_CHARACTER))
    kinds = {unicodedata.category(c) for c in shown} - {"Cf"}
    assert not {k for k in kinds if k[0] in "C" or k in ("Zl", "Zp")}
    left = sorted(c for c in shown if unicodedata.category(c) == "Cf")
    assert left == ["\u200c", "\u200d"]  # joiners of scripts and emoji


@settings(max_examples=30, deadline=None)
@given(st.text())
def test_inert_text_stays_as_it_is(text):
    assert inert(inert(text)) == inert(text)


@settings(max_examples=30, deadline=None)
@given(st.text(st.characters(categories=["L", "N", "P", "S", "M"])))
def test_ordinary_text_stays_as_it_is(text):
    assert inert(text) == text


@settings(max_examples=30, deadline=None)
@given(st.one_of(st.text(), st.dictionaries(st.text(), st.text()), st.floats()))
def test_every_line_of_a_row_is_inert(row):
    lines = show_row(row).split("\n")
    assert all(inert(line, keep="\t") == line for line in lines)


def test_line_breaks_of_a_value_do_not_make_features():
    assert show_row({"a": "1\nb: 2"}) == "a: 1\\nb: 2"
