"""The report of a rollout as one page of HTML that needs nothing else: no network, no script, light and dark."""

from markupsafe import Markup

from flows.meter_rollout.report_figures import AGES, RolloutReport, percent
from services import rollout_plots as plots
from services.page_template import page
from services.rollout_report_text import figures_of, near, title_of, worth_of
from services.rollout_text import STATES
from services.unbilled_text import energy_of


def report_to_html(report: RolloutReport) -> str:
    """Return the page of a report."""
    drawn = {
        "planned": plots.planned_and_done(report),
        "left": plots.burn_down(report),
        "ageing": plots.ageing(report),
        "in_vain": plots.in_vain(report),
        "raised": plots.raised(report),
    }
    return page("rollout_page.template").render(
        report=report,
        title=title_of(report),
        figures=figures_of(report),
        ages=AGES,
        states=[(name, report.states[name]) for name in STATES if report.states.get(name)],
        near=near(report),
        codes=plots.trend_codes(report),
        has_open=any(one.open for one in report.deviations),
        percent=percent,
        energy=energy_of,
        worth=worth_of,
        # Drawn by this package, every text in it escaped.
        drawn={name: Markup(one) for name, one in drawn.items()},  # noqa: S704
    )
