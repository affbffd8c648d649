"""`amihub explain`: the whole chain behind a bill, so that a person can recompute it on paper."""

import typer


def explain_command(
    subject: str = typer.Argument(
        help="Account, agreement, usage point, request id, or meter (serial, or manufacturer/serial)."
    ),
    *,
    as_json: bool = typer.Option(False, "--json", help="As JSON."),
) -> None:
    """Show request line, reference data, reads with quality and source, rules, file and line, deliveries, ack, bill."""
    from flows.billing_exchange.explain import explain
    from services.explain_text import explained_lines, explained_to_json
    from services.hub import open_hub

    with open_hub() as hub:
        found = explain(subject, transaction=hub.transaction)
    typer.echo(explained_to_json(found) if as_json else "\n".join(explained_lines(found)))
