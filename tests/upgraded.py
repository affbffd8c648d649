"""A SQLite database of the hub as its migrations make it: made once for each process of the tests, then copied."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from store import migrate

SQLITE = "sqlite:///"


@cache
def _made() -> bytes:
    """Return the bytes of an empty database at the newest revision."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "hub.db"
        migrate.upgrade(f"{SQLITE}{file}")
        return file.read_bytes()


def upgraded(url: str) -> None:
    """Make an empty database at the newest revision."""
    Path(url.removeprefix(SQLITE)).write_bytes(_made())
