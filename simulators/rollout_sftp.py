"""The SFTP servers of manufacturer, contractor and route reader, each with a folder of its own.

python -m simulators.rollout_sftp --run DIR --maker-port N --crews-port N --reader-port N
"""

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path

from simulators.masters_roles import HUB_KEY
from simulators.sftp_server import start_sftp

PARTNERS = ("maker", "crews", "reader")


def root_of(run: Path, partner: str) -> Path:
    """Return the folder that a partner's server shows."""
    return run / "rollout" / partner / "root"


async def serve(run: Path, ports: Sequence[int]) -> None:
    """Run the servers until they are stopped."""
    keys = run / "keys"
    for partner, port in zip(PARTNERS, ports, strict=True):
        root = root_of(run, partner)
        root.mkdir(parents=True, exist_ok=True)
        await start_sftp(
            root, port=port, host_key=keys / f"{partner}_host", client_key=keys / HUB_KEY, user="amihub",
            hang_up=lambda: False,
        )  # fmt: skip
    await asyncio.Event().wait()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the servers that the command line describes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    for partner in PARTNERS:
        parser.add_argument(f"--{partner}-port", type=int, required=True)
    options = parser.parse_args(arguments)
    asyncio.run(serve(options.run, [getattr(options, f"{partner}_port") for partner in PARTNERS]))


if __name__ == "__main__":
    main()
