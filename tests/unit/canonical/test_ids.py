"""Minted ids: the same business key, the same id, on every machine and in every run."""

from datetime import datetime
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from canonical.ids import NAMESPACE, mint, mint_near
from canonical.names import normal_serial


def test_an_id_never_changes() -> None:
    """Ids that were sent are kept by others: this one pins the recipe."""
    assert mint("meter", "ACME", "12345") == "12f85304-a9c6-56f4-9f97-0ccccc233f2a"


@given(st.text(max_size=40))
def test_an_id_is_the_uuid5_of_kind_and_fields(field: str) -> None:
    assert mint("read", field) == str(uuid5(NAMESPACE, f"read\x1f{field}"))


def test_an_instant_counts_as_utc_whatever_zone_writes_it() -> None:
    utc = datetime.fromisoformat("2026-11-01T05:30:00+00:00")

    assert mint("read", utc) == mint("read", utc.astimezone(ZoneInfo("America/Toronto")))


@given(
    st.lists(
        st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x1f"), max_size=8), min_size=1, max_size=4
    )
)
def test_fields_cannot_run_into_each_other(fields: list[str]) -> None:
    joined = mint("kind", "".join(fields))

    assert len(fields) == 1 or mint("kind", *fields) != joined
    assert mint("kind", *fields) == mint("kind", *fields)


def test_a_serial_is_compared_without_blanks_and_case_but_with_its_zeros() -> None:
    assert normal_serial(" ab0012 ") == "AB0012"
    assert normal_serial("0012") != normal_serial("12")


def test_an_id_near_another_begins_as_it_does_and_is_otherwise_its_own() -> None:
    near = mint("order", 7)
    own, other = mint_near(near, "message", "a"), mint_near(near, "message", "b")

    assert own[:8] == near[:8] == other[:8]
    assert own[8:] != other[8:]
    assert UUID(own).version == 8
    assert own == mint_near(near, "message", "a")


@given(st.text(max_size=12))
def test_what_does_not_begin_as_an_id_leaves_the_id_as_minted(near: str) -> None:
    found = mint_near(near, "message", "a")

    begins = len(near) >= 8 and all(one in "0123456789abcdefABCDEF" for one in near[:8])
    assert (found == mint("message", "a")) is not begins
