"""What a partner refuses object by object survives the text that a delivery keeps; what is left out is counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.refusals import MOST, OPERATION, Refusal, refusals_to_text, refused_in, refused_operations, shown

NAMES = st.text(st.characters(whitelist_categories=("Lu", "Ll", "Nd")), min_size=1, max_size=12)
WORDS = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=60)


@given(
    objects=st.lists(NAMES, unique=True, min_size=1, max_size=40),
    reasons=st.lists(st.tuples(st.integers(0, 39), WORDS), max_size=60),
)
def test_every_object_that_is_refused_is_read_back_with_its_codes(
    objects: list[str], reasons: list[tuple[int, str]]
) -> None:
    said = [Refusal("Meter", objects[n % len(objects)], f"2.{n}", words) for n, words in reasons]
    names: dict[str, tuple[str, ...]] = {name: () for name in objects}

    found = refused_in(refusals_to_text(said), names)

    assert set(found.named) == {one.name for one in said}
    assert found.is_whole == bool(said)
    for name, text in found.named.items():
        codes = [one.code for one in said if one.name == name]
        assert [part.split(" ")[0] for part in text.split("; ")] == codes


def test_a_refusal_of_something_else_leaves_the_others_unknown() -> None:
    text = refusals_to_text([Refusal("Meter", "m-1", "2.4"), Refusal("", "", "5.3", "busy")])

    found = refused_in(text, {"m-1": (), "m-2": ()})

    assert (found.named, found.is_whole) == ({"m-1": "2.4"}, False)


def test_an_object_may_go_by_another_of_its_names() -> None:
    assert refused_in("Meter 4711 2.4 no", {"m-1": ("4711",)}).named == {"m-1": "2.4 no"}


def test_what_a_text_has_no_room_for_is_counted_and_leaves_the_others_unknown() -> None:
    text = refusals_to_text(Refusal("Meter", f"m-{n}", "2.4") for n in range(MOST + 7))

    assert text.endswith("; and 7 more")
    assert not refused_in(text, {f"m-{n}": () for n in range(MOST + 7)}).is_whole
    assert len(refused_in(text, {f"m-{n}": () for n in range(MOST + 7)}).named) == MOST


@given(
    st.dictionaries(st.integers(1, 1000), st.from_regex(r"\A[0-9]\.[0-9]{1,2} [a-z]{1,9}\Z"), min_size=1, max_size=9)
)
def test_refused_operations_come_back_by_their_numbers(named: dict[int, str]) -> None:
    text = refusals_to_text(Refusal(OPERATION, str(n), *why.split(" ")) for n, why in named.items())

    assert refused_operations(text) == named


@pytest.mark.parametrize(
    "text", ["", "Meter m-1 2.4", "Operation x 2.4", "Operation 1 2.4; Meter m-1 2.4", "Operation 1 2.4; and 3 more"]
)
def test_where_one_refusal_names_no_operation_nobody_knows_of_any(text: str) -> None:
    assert refused_operations(text) == {}


def test_a_person_is_shown_the_first_ones_and_how_many_more_there_are() -> None:
    text = refusals_to_text(Refusal("Meter", f"m-{n}", "2.4") for n in range(MOST + 7))

    assert shown(text, most=2) == f"Meter m-0 2.4; Meter m-1 2.4; and {MOST + 5} more"
    assert shown("closed for the weekend") == "closed for the weekend"
