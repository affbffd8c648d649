"""The rollout's thread is awake while answers come, and rests when nothing does."""

from hypothesis import given
from hypothesis import strategies as st

from services.rollout_pass import BREATH_S, rest_s

SECONDS = st.floats(0, 100)


def rests(*passes: bool, took: float = 0.01, most: float = 5.0) -> list[float]:
    found, rest = [], most
    for did_something in passes:
        rest = rest_s(rest, took=took, did_something=did_something, most=most)
        found.append(rest)
    return found


def test_after_something_was_told_the_answer_is_looked_for_at_once_and_less_often_each_time() -> None:
    assert rests(True, False, False, True, False) == [BREATH_S, 2 * BREATH_S, 4 * BREATH_S, BREATH_S, 2 * BREATH_S]
    assert rests(*[False] * 9)[-1] == 5.0


@given(before=SECONDS, took=SECONDS, did_something=st.booleans(), most=st.floats(0.01, 60))
def test_a_rest_is_as_long_as_the_work_and_no_longer_than_the_site_says(
    before: float, took: float, did_something: bool, most: float
) -> None:
    rest = rest_s(before, took=took, did_something=did_something, most=most)

    assert min(took, most) <= rest <= most
