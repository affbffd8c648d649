"""Acknowledgements: each delivery exactly once, a run as one, never one that has not ended."""

from hypothesis import given
from hypothesis import strategies as st

from messaging.ack_window import AckWindow


@given(st.lists(st.sampled_from(["begin", "end", "take"]), max_size=60), st.randoms())
def test_each_ended_delivery_is_acknowledged_once_and_no_other(steps: list[str], random: object) -> None:
    window, under_way, ended, acknowledged, tag = AckWindow(), [], set(), [], 0

    for step in [*steps, "take"]:
        if step == "begin":
            tag += 1
            window.begin(tag)
            under_way.append(tag)
        elif step == "end" and under_way:
            one = under_way.pop(getattr(random, "randrange")(len(under_way)))  # noqa: B009
            window.end(one)
            ended.add(one)
        elif step == "take":
            for last, multiple in window.take():
                covered = {one for one in ended if one <= last and one not in acknowledged} if multiple else {last}
                assert not multiple or all(one > last for one in under_way)
                acknowledged += sorted(covered)

    assert sorted(acknowledged) == sorted(ended)
    assert len(window) == len(under_way)


def test_a_run_goes_as_one_and_what_ended_before_its_elder_goes_alone() -> None:
    window = AckWindow()
    for tag in range(1, 7):
        window.begin(tag)
    for tag in (3, 1, 2, 5):
        window.end(tag)

    assert list(window.take()) == [(3, True), (5, False)]
    window.end(4)
    window.end(6)
    assert list(window.take()) == [(6, True)]
