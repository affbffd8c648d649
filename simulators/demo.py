"""The demo in chapters, each in a city of its own and judged by its auditor.

    python -m simulators.demo          (or `make demo`)

Environment: `CHAPTER=` one of `simulators.chapters` (the rollout without a word), or `all`;
what else each of them heeds stands in its module.
Exit code 0 only when every auditor finds nothing wrong.
`--bench N`: one calm business day of N usage points by the command line (`simulators.billing_bench`), as JSON.
"""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from simulators.billing_bench import bench
from simulators.chapters import chosen_chapters
from simulators.demo_processes import DemoError

WIDTH = 150
"""Columns when the output is no terminal."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo, or the bench, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", type=int, default=0, metavar="N", help="one calm day of N usage points, CPU as JSON")
    parser.add_argument("--run", type=Path, default=None, help="run folder to make (default: a new one in var/demo)")
    options = parser.parse_args(arguments)
    # Asked to end by whoever started it, it stops what it started first.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console(stderr=bool(options.bench), soft_wrap=True, width=None if sys.stdout.isatty() else WIDTH)
    try:
        if options.bench:
            return bench(options.bench, console)
        chosen = chosen_chapters()
        ends = []
        for name, chapter in chosen.items():
            folder = options.run / name if options.run is not None and len(chosen) > 1 else options.run
            ends.append(chapter.play(console, folder=folder))
        return max(ends)
    except DemoError as error:
        console.print(f"[bold red]{error}[/]")
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
