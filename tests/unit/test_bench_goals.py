"""`make bench` judges each figure by its goal, and names what was not measured as missed."""

from benchmarks.__main__ import judged


def test_a_figure_that_reaches_its_goal_passes_and_one_that_does_not_fails() -> None:
    said = dict((sentence, reached) for reached, sentence in judged("soap_client_decode", {"x_zeep_96": 12.5}))

    assert said == {"PASS soap_client_decode.x_zeep_96 is 12.5, goal >= 10": True}
    assert [reached for reached, _ in judged("soap_client_decode", {"x_zeep_96": 9.9})] == [False]


def test_a_goal_whose_figure_is_not_there_is_missed() -> None:
    assert [reached for reached, _ in judged("soap_client_decode", {})] == [False]


def test_a_key_without_goals_is_judged_by_nothing() -> None:
    assert judged("no such key", {"x": 1.0}) == []
