"""A private RabbitMQ: own node name, ports, epmd, home and data on the loopback; gone when the block ends.

The server runs in the foreground as a child process (with `-detached` it returns 0 while the node is dead), as the
service's own user when root starts the tests. The machine's own broker is neither used nor stopped.
"""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

MISSING = "RabbitMQ is missing: install Debian's package `rabbitmq-server` (tests/servers/install.sh)"

CONFIGURATION = """
listeners.tcp.1 = 127.0.0.1:{port}
default_user = hub
default_pass = {password}
vm_memory_high_watermark.absolute = 1GB
disk_free_limit.absolute = 10MB
loopback_users = none
log.console = true
log.console.level = warning
log.file = false
"""


@dataclass
class RabbitServer:
    """A running broker, which tests may kill and start again."""

    folder: Path
    port: int
    password: str
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """Address of the default virtual host, with user and password."""
        return f"amqp://hub:{self.password}@127.0.0.1:{self.port}/%2F"

    def start(self) -> None:
        """Start the node and wait until it answers.

        Raises:
            RuntimeError: it ended instead; says what it printed.
        """
        with (self.folder / "log").open("ab") as log:
            self.process = _spawn(["rabbitmq-server"], self.environment, log)
        _await_port(int(self.environment["RABBITMQ_DIST_PORT"]), self.process)
        waited = _control(self.environment, "await_startup", "--timeout", "60")
        if waited.returncode or self.process.poll() is not None:
            raise RuntimeError(f"RabbitMQ did not start: {waited.stdout}\n{(self.folder / 'log').read_text()[-4000:]}")

    def kill(self) -> None:
        """End the node at once, as a power cut would."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=20)

    def control(self, *arguments: str) -> str:
        """Return what rabbitmqctl prints."""
        done = _control(self.environment, *arguments)
        if done.returncode:
            raise RuntimeError(done.stdout)
        return done.stdout


@contextmanager
def private_rabbitmq() -> Iterator[RabbitServer]:
    """Yield a fresh running broker.

    Raises:
        FileNotFoundError: the server is not installed; says what to install.
    """
    find_scripts()
    folder = Path(tempfile.mkdtemp(prefix="amihub-rabbitmq-", dir="/var/lib" if os.getuid() == 0 else Path.home()))
    epmd: subprocess.Popen[bytes] | None = None
    server = _prepare(folder)
    try:
        with (folder / "epmd.log").open("wb") as log:
            epmd = _spawn(["epmd"], server.environment, log)
        _await_port(int(server.environment["ERL_EPMD_PORT"]), epmd)
        server.start()
        yield server
    finally:
        if server.process is not None and server.process.poll() is None:
            server.kill()
        if epmd is not None:
            epmd.kill()
            epmd.wait(timeout=10)
        shutil.rmtree(folder, ignore_errors=True)


def find_scripts() -> Path:
    """Return the folder of the newest installed server's own scripts.

    Raises:
        FileNotFoundError: there is none; says what to install.
    """
    found = sorted(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin/rabbitmq-server"))
    if not found or shutil.which("epmd") is None:
        raise FileNotFoundError(MISSING)
    return found[-1].parent


def _prepare(folder: Path) -> RabbitServer:
    """Write configuration and settings of a node that shares nothing with another."""
    port, password, name = _free_port(), secrets.token_hex(16), f"hub{secrets.token_hex(4)}"
    home = folder / "home"
    for part in (home, folder / "data", folder / "logs"):
        part.mkdir()
    (folder / "rabbitmq.conf").write_text(CONFIGURATION.format(port=port, password=password))
    (folder / "advanced.config").write_text("[{kernel, [{inet_dist_use_interface, {127,0,0,1}}]}].\n")
    (folder / "enabled_plugins").write_text("[].\n")
    (folder / "env.conf").write_text("")
    if os.getuid() == 0:
        for part in (folder, *folder.rglob("*")):
            shutil.chown(part, "rabbitmq", "rabbitmq")
    environment = {
        "PATH": f"{find_scripts()}:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "ERL_EPMD_PORT": str(_free_port()),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": f"{name}@localhost",
        "RABBITMQ_DIST_PORT": str(_free_port()),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "logs"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "env.conf"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2 +sbwt none",
    }
    return RabbitServer(folder, port, password, environment)


def _spawn(arguments: list[str], environment: dict[str, str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start a program of the server's in a group of its own; root steps aside for the service's user."""
    return subprocess.Popen(
        _as_service(arguments),
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd=environment["HOME"],
        start_new_session=True,
    )


def _control(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        _as_service(["rabbitmqctl", "-q", *arguments]),
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        cwd=environment["HOME"],
        timeout=120,
    )


def _as_service(arguments: list[str]) -> list[str]:
    """Return the command line that runs as the service's user, and ends when whoever started it is killed."""
    mortal = ["setpriv", "--pdeathsig", "TERM"]
    if os.getuid() != 0:
        return [*mortal, *arguments]
    user = pwd.getpwnam("rabbitmq")
    return [*mortal, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", *arguments]


def _free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _await_port(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a process listens."""
    for _ in range(1200):
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(f"nothing listens on port {port}")
