"""How the rollout goes, as the hub tells it to people: figures in the demo's words, the whole as a page beside them."""

from rich.console import Console

from simulators.demo_processes import Processes

PAGE = "rollout.html"
FIGURES = 10
"""Lines of the report that are shown; days, codes and routes are on the page."""


def show_report(processes: Processes, console: Console) -> None:
    """Have the register of unbilled revenue counted, show the figures of the rollout, and keep its page.

    Raises:
        DemoError: a command of the hub did not do what was asked.
    """
    processes.amihub("unbilled", "run")
    page = processes.run.folder / "reports" / PAGE
    processes.amihub("rollout", "report", "--html", str(page))
    for line in processes.amihub("rollout", "report").splitlines()[:FIGURES]:
        console.print(f"       {line}", highlight=False, style="dim", soft_wrap=True)
    console.print(f"       the page: {page}", highlight=False, style="dim", soft_wrap=True)
