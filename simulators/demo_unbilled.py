"""The evening of the last billing day: the register of unbilled revenue is counted, kept for auditors, and shown."""

from rich.console import Console

from simulators.demo_engine import Engine
from simulators.demo_processes import Processes


def show_unbilled(processes: Processes, engine: Engine, console: Console) -> None:
    """Have the register counted by whatever starts passes, keep it as `reports/unbilled.csv`, and show its totals."""
    console.print(f"[bold cyan]What is unbilled[/]  {keep_unbilled(processes, engine)}", highlight=False)
    told = processes.amihub("unbilled", "report", "--limit", "1").split("\n\n")
    for line in "\n".join(told[:2]).splitlines():
        console.print(f"               {line}", highlight=False, soft_wrap=True)


def keep_unbilled(processes: Processes, engine: Engine) -> str:
    """Have the register counted, keep it as `reports/unbilled.csv` and `.html`, and return a word on the count."""
    reports = processes.run.folder / "reports"
    reports.mkdir(exist_ok=True)
    word = engine.count_unbilled()
    for form in ("csv", "html"):
        processes.amihub("unbilled", "report", "--format", form, "--output", str(reports / f"unbilled.{form}"))
    return word
