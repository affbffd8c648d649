"""The script of the masters' day: when every system drops which file, and where nobody tells anybody."""

from simulators.script import Moment

FIRST_FILES = Moment(2, 0)
"""Every system drops all that it holds: the hub is loaded from it."""

DURING_LOAD = Moment(2, 20)
"""Changes that were made while the load ran."""

MORNING = Moment(3, 0)
"""Changes of the working day: new connections, exchanges, other routes, addresses, transformers."""

FIRST_SNAPSHOT = Moment(3, 30)
"""Every system drops all that it holds: what was lost on its way shows; nothing was changed by hand yet."""

DIFFERENCES = Moment(3, 40)
"""Books are changed by hand, and nobody says so."""

LAST_CHANGES = Moment(4, 0)
"""Changes whose receivers are slow: they are on their way while systems are compared."""

SNAPSHOT = Moment(4, 20)
"""Every system drops all that it holds: the hub compares."""

REPAIRS = Moment(4, 40)
"""Whoever was slow answers; the hub repairs what it may."""

SECOND_SNAPSHOT = Moment(5, 0)
"""And once more, after repairs."""
