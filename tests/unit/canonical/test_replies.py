"""What a reply says of objects and operations comes back as it was said, among whatever else its details hold."""

from hypothesis import given
from hypothesis import strategies as st

from canonical.codes import ALL
from canonical.replies import Said, of_object, of_operation, said_in

CODES = st.sampled_from([str(code) for code in ALL.values()])
NAMES = st.from_regex(r"[A-Za-z]{0,20}", fullmatch=True)


@given(NAMES, st.text(), CODES, st.text())
def test_what_is_said_of_an_object_comes_back(kind: str, name: str, code: str, reason: str) -> None:
    details = dict([("stored", "3"), of_object(kind, name, code, reason)])

    assert list(said_in(details)) == [Said(code, reason, kind, name)]


@given(st.integers(0, 10**12), CODES, st.text())
def test_what_is_said_of_an_operation_comes_back(number: int, code: str, reason: str) -> None:
    details = dict([of_operation(number, code, reason), ("cancelled", "1")])

    assert list(said_in(details)) == [Said(code, reason, operation_id=number)]


@given(st.dictionaries(st.sampled_from(["stored", "of", "request", "operation", "object"]), st.text()))
def test_counts_and_the_like_are_not_said_of_anything(details: dict[str, str]) -> None:
    assert list(said_in(details)) == []
