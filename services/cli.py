"""`amihub`: the command line. Each topic is a module of its own; heavy things are imported inside commands."""

import sys

import typer

from canonical.errors import HubError
from services import (
    cli_airflow,
    cli_billing,
    cli_changes,
    cli_cim,
    cli_cim_call,
    cli_config,
    cli_db,
    cli_events,
    cli_explain,
    cli_files,
    cli_history,
    cli_inspect,
    cli_load,
    cli_masters,
    cli_messages,
    cli_messaging,
    cli_parked,
    cli_reconcile,
    cli_requests,
    cli_rollout,
    cli_rollout_correct,
    cli_rollout_report,
    cli_routes,
    cli_serve,
    cli_shipments,
    cli_unbilled,
    cli_waiting,
    cli_work,
)

app = typer.Typer(
    name="amihub",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="""AMI Hub: integration middleware for Advanced Metering Infrastructure.

Every message accounted for, every kWh billed once, every failure visible, explained and replayable.

**First steps**: copy site.example.toml to site.toml, `export AMIHUB_SITE=site.toml`, `amihub config check`,
`amihub db upgrade`, `amihub serve`, and `amihub billing run INTERFACE` (or let Airflow run it).

**A meter rollout**: waves stand in the site file; `amihub rollout plan WAVE`, `freeze`, `release`, then `amihub
rollout run` (or serve, or Airflow) takes completions in and tells every system; `status`, `explain` and `report` say
how it goes. New meters: `amihub shipments`; people who read meters: `amihub routes`.

**Something went wrong?** `amihub work list` says what a person must do; `amihub parked list` what could not be
delivered; `amihub explain ACCOUNT` the whole chain behind a bill.
""",
)
app.add_typer(cli_config.app, name="config")
app.add_typer(cli_db.app, name="db")
app.add_typer(cli_serve.app)
app.add_typer(cli_billing.app, name="billing")
app.add_typer(cli_work.app, name="work")
app.add_typer(cli_changes.app, name="changes")
app.add_typer(cli_unbilled.app, name="unbilled")
cli_cim.app.command("call")(cli_cim_call.call_command)
cli_cim.app.command("support")(cli_cim_call.support_command)
cli_cim.app.command("waiting")(cli_waiting.waiting_command)
app.add_typer(cli_cim.app, name="cim")
app.add_typer(cli_messages.app, name="messages")
app.add_typer(cli_events.app, name="events")
app.add_typer(cli_requests.app, name="requests")
app.add_typer(cli_parked.app, name="parked")
app.add_typer(cli_messaging.app, name="messaging")
app.add_typer(cli_files.app, name="files")
app.add_typer(cli_load.app, name="load")
app.add_typer(cli_masters.app, name="masters")
cli_rollout.app.command("correct")(cli_rollout_correct.correct_command)
cli_rollout.app.command("confirm")(cli_rollout_correct.confirm_command)
cli_rollout.app.command("report")(cli_rollout_report.report_command)
app.add_typer(cli_rollout.app, name="rollout")
app.add_typer(cli_shipments.app, name="shipments")
app.add_typer(cli_routes.app, name="routes")
app.add_typer(cli_history.app, name="history")
app.add_typer(cli_reconcile.app, name="reconcile")
app.add_typer(cli_airflow.app, name="airflow")
app.command("explain")(cli_explain.explain_command)
app.command("inspect")(cli_inspect.inspect_command)


def main() -> None:
    """Run the command line; a failure that was foreseen is one line that says what to do, and exit code 1."""
    try:
        app()
    except HubError as error:
        typer.secho(str(error), err=True, fg=typer.colors.RED)
        typer.echo(f"What to do: {error.code.next_step}", err=True)
        sys.exit(1)
