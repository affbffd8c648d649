"""Uploading one 200 MB file: our put beside OpenSSH's own `sftp put`, to the same private OpenSSH server.

Both log in, write and close; ours also checks the size, renames without overwriting and adds the control file.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from canonical.messages import Manifest
from servers.openssh import SshServer, private_sshd
from sftp.exchange import put
from sftp.session import SftpSettings, open_session

MEGABYTES = 200
ROUNDS = 6


def run() -> dict[str, dict[str, float]]:
    """Return the median of same-round ratios (OpenSSH's time by ours; 1 is as fast) and both speeds in MB/s."""
    with tempfile.TemporaryDirectory(dir=_memory()) as folder, private_sshd(place=_memory()) as server:
        local = Path(folder) / "drop.dat"
        local.write_bytes(hashlib.shake_128(b"drop").digest(1_000_000) * MEGABYTES)
        with local.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        ours, theirs = [], []
        for number in range(ROUNDS + 1):
            name = f"BD_{number}.dat"
            manifest = Manifest(name, local.stat().st_size, sha256, {}, {}, number)
            contest = [partial(_openssh, server, local), partial(_ours, server, local, manifest)]
            # Who goes first changes each round: the second one writes to a disk that is still busy with the first.
            order = (0, 1) if number % 2 else (1, 0)
            seconds = {side: _timed(contest[side]) for side in order}
            if number:  # the first round warms caches
                theirs.append(seconds[0])
                ours.append(seconds[1])
            _check(server, name, local)
    return {
        "sftp_put": {
            "ratio_to_openssh": round(median(t / o for t, o in zip(theirs, ours, strict=True)), 3),
            "mb_per_s": round(MEGABYTES / median(ours)),
            "openssh_mb_per_s": round(MEGABYTES / median(theirs)),
        }
    }


def _memory() -> Path | None:
    """Return a memory disk where there is one, so that protocol and ciphers are compared and not a shared disk."""
    memory = Path("/dev/shm")  # noqa: S108  # nothing secret lies there, under a name that nobody can guess
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > 4_000_000 * MEGABYTES else None


def _timed(work: Callable[[], None]) -> float:
    """Return the seconds that the work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _ours(server: SshServer, local: Path, manifest: Manifest) -> None:
    """Deliver the file as an adapter does."""
    settings = SftpSettings(
        "127.0.0.1", server.user, server.host_keys, port=server.port, private_key=str(server.private_key)
    )
    with open_session(settings) as session:
        put(session, local, server.home, manifest.name, manifest)


def _openssh(server: SshServer, local: Path) -> None:
    """Upload the file by OpenSSH's client, which checks nothing."""
    options = ["-q", "-P", str(server.port), "-i", str(server.private_key), "-b", "-"]
    options += ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
    command = f"put {local} {server.home}/peer.dat\n".encode()
    subprocess.run(["sftp", *options, f"{server.user}@127.0.0.1"], input=command, check=True, capture_output=True)


def _check(server: SshServer, name: str, local: Path) -> None:
    """See that both files are what was sent, and remove them."""
    for path in (server.files / name, server.files / "peer.dat"):
        if path.stat().st_size != local.stat().st_size:
            raise AssertionError(f"{path} is not whole")
        path.unlink()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run()) + "\n")
