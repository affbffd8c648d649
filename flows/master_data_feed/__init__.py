"""Changes of masters told to subscribers, each by its own cursor in the change log: state, not messages passed on."""

from flows.master_data_feed.answers import AnswersHandler
from flows.master_data_feed.feed import Fed, feed
from flows.master_data_feed.subscribers import Mode, Subscriber

__all__ = ["AnswersHandler", "Fed", "Mode", "Subscriber", "feed"]
