"""First-time load of masters: whole files in bulk, changes queued meanwhile and replayed after (domain 2.7)."""

from flows.master_load.closing import Ending, advance
from flows.master_load.control import abort, finish, pause, resume, start
from flows.master_load.handler import LoadHandler
from flows.master_load.policy import History, LoadPolicy
from flows.master_load.report import Report, Status, listed, report, status

__all__ = [
    "Ending",
    "History",
    "LoadHandler",
    "LoadPolicy",
    "Report",
    "Status",
    "abort",
    "advance",
    "finish",
    "listed",
    "pause",
    "report",
    "resume",
    "start",
    "status",
]
