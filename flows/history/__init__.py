"""History of belief: what each system held of a usage point, who told it, by which message, in two kinds of time."""

from flows.history.answer import Answer, Question, answers
from flows.history.disputes import THERE
from flows.history.evidence import HUB, Belief, Coverage, Extract, Fact, History, Statement
from flows.history.gather import history
from flows.history.personal import without_personal

__all__ = [
    "HUB",
    "THERE",
    "Answer",
    "Belief",
    "Coverage",
    "Extract",
    "Fact",
    "History",
    "Question",
    "Statement",
    "answers",
    "history",
    "without_personal",
]
