"""First-time load of masters: whole files in bulk, changes queued meanwhile and replayed after (domain 2.7)."""

from flows.master_load.closing import Ending, OnStep, advance
from flows.master_load.control import abort, finish, pause, resume, start
from flows.master_load.handler import LoadHandler
from flows.master_load.policy import History, LoadPolicy
from flows.master_load.report import Report, Status, listed, open_run, report, status, things

__all__ = [
    "Ending",
    "History",
    "LoadHandler",
    "LoadPolicy",
    "OnStep",
    "Report",
    "Status",
    "abort",
    "advance",
    "finish",
    "listed",
    "open_run",
    "pause",
    "report",
    "resume",
    "start",
    "status",
    "things",
]
