"""A private PostgreSQL: data in a folder of its own, a free port on the loopback, gone when the block ends."""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MISSING = "PostgreSQL's server programs are missing: install Debian's package `postgresql` (tests/servers/install.sh)"
RELAXED = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
"""Settings for tests: no test pulls the plug of the server, only of its clients."""


@contextmanager
def private_postgres(settings: dict[str, str] | None = None) -> Iterator[str]:
    """Yield the URL of a fresh server's database `postgres`.

    Raises:
        FileNotFoundError: the server's programs are not installed; says what to install.
    """
    programs = find_programs()
    folder = Path(tempfile.mkdtemp(prefix="amihub-postgres-", dir="/var/lib" if os.getuid() == 0 else Path.home()))
    password = secrets.token_hex(16)
    try:
        data, port = _initialize(programs, folder, password), free_port()
        options = {"listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": str(folder)}
        options |= {"max_connections": "50"} | (settings or {})
        with (data / "postgresql.auto.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in options.items())
        control: list[str | Path] = [programs / "pg_ctl", "-D", data, "-w", "-t", "60", "-l", folder / "log"]
        _run([*control, "start"])
        try:
            yield f"postgresql://hub:{password}@127.0.0.1:{port}/postgres"
        finally:
            _run([*control, "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def find_programs() -> Path:
    """Return the folder of the newest installed server's programs.

    Raises:
        FileNotFoundError: there is none; says what to install.
    """
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    found += [Path(path).parent for path in [shutil.which("initdb")] if path]
    if not found:
        raise FileNotFoundError(MISSING)
    return max(found, key=lambda path: int(path.parent.name) if path.parent.name.isdigit() else 0)


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _initialize(programs: Path, folder: Path, password: str) -> Path:
    """Return a new data folder whose only user is `hub`."""
    secret = folder / "password"
    secret.write_text(password)
    secret.chmod(0o600)
    if os.getuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        shutil.chown(secret, "postgres", "postgres")
    data = folder / "data"
    login = ["-U", "hub", "--auth=scram-sha-256", f"--pwfile={secret}"]
    _run([programs / "initdb", "-D", data, "-E", "UTF8", "--locale=C", "--no-sync", *login])
    secret.unlink()
    return data


def _run(arguments: list[str | Path]) -> None:
    """Run a program of the server's; PostgreSQL refuses root, so root steps aside."""
    drop = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] if os.getuid() == 0 else []
    done = subprocess.run(
        [*drop, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        cwd="/",
        close_fds=True,
    )
    if done.returncode:
        raise RuntimeError(f"{arguments[0]} failed:\n{done.stdout}")
