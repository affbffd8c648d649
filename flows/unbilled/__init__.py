"""The unbilled-revenue register: what is delivered and on no bill, of every agreement, every business day (4.8)."""

from flows.unbilled.balance import Balance as Balance
from flows.unbilled.balance import balance as balance
from flows.unbilled.due import due_days as due_days
from flows.unbilled.policy import Average as Average
from flows.unbilled.policy import Policy as Policy
from flows.unbilled.report import Report as Report
from flows.unbilled.report import read_report as read_report
from flows.unbilled.run import DayCounted as DayCounted
from flows.unbilled.run import run as run
