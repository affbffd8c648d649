"""A private OpenSSH server with internal-sftp on a free port; the machine's own is neither used nor stopped.

sshd wants its folder for privilege separation, and, for a jail, parents that root owns and nobody else may write.
Shared temporary folders are not such parents, so the server's folder lies elsewhere when root runs the tests.
"""

import getpass
import os
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

PROGRAM = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")

REFUSE_SETSTAT = "-P setstat,fsetstat"
"""What a server says that lets nobody change times, permissions or sizes."""


@dataclass
class SshServer:
    """A running server: how to log in, and the folder that a session sees as its start."""

    folder: Path
    port: int
    user: str
    private_key: Path
    files: Path
    """Folder on this machine in which sessions work."""

    home: str
    """The same folder as sessions name it."""

    process: subprocess.Popen[bytes] = field(repr=False)

    @property
    def host_keys(self) -> tuple[str, ...]:
        """Return the server's public host keys as `type base64`."""
        return (" ".join((self.folder / "host_ed25519.pub").read_text().split()[:2]),)

    def pids(self) -> list[int]:
        """Return the server's process and those that serve open sessions."""
        return [self.process.pid, *_descendants(self.process.pid)]

    def kill_sessions(self) -> int:
        """Kill the processes that serve open sessions, as a crash of the server would; return their number."""
        children = _descendants(self.process.pid)
        for child in children:
            os.kill(child, signal.SIGKILL)
        return len(children)


@contextmanager
def private_sshd(*, sftp_options: str = "", jail: bool = False, place: Path | None = None) -> Iterator[SshServer]:
    """Run a server until the end of the block.

    `sftp_options` go to internal-sftp (`REFUSE_SETSTAT`). With `jail` (root only), sessions see `files` as `/work`.
    `place` is where its folder is made, such as a memory disk for a benchmark; a jail needs parents that root owns.
    """
    if PROGRAM is None:
        raise FileNotFoundError("no sshd: install the package openssh-server")
    folder = Path(tempfile.mkdtemp(prefix="amihub-sshd-", dir=place or ("/var/lib" if os.geteuid() == 0 else None)))
    try:
        folder.chmod(0o755)
        files = folder / "jail" / "work"
        files.mkdir(parents=True)
        port = _free_port()
        process = _start(folder, port, sftp_options, jail)
        home = "/work" if jail else str(files)
        try:
            _await(process, port, folder)
            yield SshServer(folder, port, getpass.getuser(), folder / "client", files, home, process)
        finally:
            for child in _descendants(process.pid):
                os.kill(child, signal.SIGKILL)
            process.terminate()
            process.wait(timeout=10)
    finally:
        shutil.rmtree(folder)


def _start(folder: Path, port: int, sftp_options: str, jail: bool) -> subprocess.Popen[bytes]:
    """Make keys and configuration, and start the server in the foreground."""
    for name in ("host_ed25519", "client"):
        make_key(folder / name)
    (folder / "authorized_keys").write_text((folder / "client.pub").read_text())
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    lines = [
        f"Port {port}",
        "ListenAddress 127.0.0.1",
        f"HostKey {folder}/host_ed25519",
        f"PidFile {folder}/pid",
        f"AuthorizedKeysFile {folder}/authorized_keys",
        "StrictModes no",
        "UsePAM no",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "PermitRootLogin prohibit-password",
        "MaxStartups 100:30:200",
        f"Subsystem sftp internal-sftp {sftp_options}",
    ]
    if jail:
        lines += [f"ChrootDirectory {folder}/jail", f"ForceCommand internal-sftp {sftp_options}"]
    (folder / "sshd_config").write_text("\n".join(lines) + "\n")
    with (folder / "log").open("wb") as log:
        return subprocess.Popen([str(PROGRAM), "-D", "-e", "-f", str(folder / "sshd_config")], stderr=log)


def make_key(path: Path) -> None:
    """Make an ed25519 key pair at `path` and `path`.pub."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)


def _free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    """Wait until the server answers."""
    for _ in range(200):
        if process.poll() is not None:
            raise RuntimeError(f"sshd ended: {(folder / 'log').read_text()}")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError("sshd does not answer")


def _descendants(pid: int) -> list[int]:
    """Return the processes below one, the deepest last."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        return []
    return [below for child in children for below in (int(child), *_descendants(int(child)))]
