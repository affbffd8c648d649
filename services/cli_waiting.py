"""`amihub cim waiting`: master data and routed messages that wait, and for what."""

import typer


def waiting_command() -> None:
    """Print what waits to be applied or passed on: since when, looks so far, what it is, and for what it waits."""
    from flows.master_data_sync import waiting
    from services.hub import open_hub

    with open_hub() as hub:
        rows = waiting(transaction=hub.transaction)
    for row in rows:
        what = f"{row['said']['verb']} {row['said']['noun']} of {row['source']}, message {row['message_id']}"
        typer.echo(f"{row['first_at'].isoformat()} {row['state']:8} {row['attempts']:3} {what}: {row['reason']}")
    typer.echo(f"{len(rows)} waiting")
