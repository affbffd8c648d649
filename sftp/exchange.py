"""Files to and from a partner's folders: appear there at once and whole, come here checked, leave when they are done.

A file grows under `.{name}.part` in its own folder, is checked by size, renamed without overwriting anything, and only
then gets its control file, the same way. Neither modification times nor permissions are touched: many servers refuse.
"""

import io
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from canonical.codes import transport as codes
from canonical.errors import MisconfiguredError, RejectedError, UnavailableError
from canonical.messages import FetchedFile, Manifest, OfferedFile
from sftp.listing import entries, is_regular
from sftp.manifest import MANIFEST_LIMIT, manifest_from_json, manifest_to_json
from sftp.names import check_name, control_name, is_data_file, is_hostile, join, numbered, part_name
from sftp.session import SftpSession
from sftp.transfer import download, hash_of, hash_of_start, size_of, spooling, upload

LOG = logging.getLogger(__name__)

Unwrap = Callable[[Path], Path]
"""Unpacks a fetched file beside it and returns what was inside, or the same path when nothing wraps it."""

MOST_ANSWERS = 50
"""Answers to files of one stem that may lie unread in a partner's folder."""


def put(session: SftpSession, local: Path | bytes, folder: str, name: str, manifest: Manifest | None = None) -> bool:
    """Deliver a file into the partner's folder, its control file last; return False when all of it was there already.

    Put again after a crash it goes on where it stopped. When the partner took the data file away already, the
    control file that we left proves the delivery.

    Raises:
        RejectedError: `REMOTE_NAME_TAKEN`: another file has the name; `NAME_INVALID`.
        UnavailableError: try again; what has arrived is kept.
        MisconfiguredError: the folder is missing, or the server does not permit writing or renaming.
    """
    check_name(name)
    control = manifest_to_json(manifest) if manifest is not None else None
    control_path = join(folder, control_name(name))
    if control is not None and _holds(session, control_path, io.BytesIO(control), len(control)):
        return False
    with _opened(local) as (source, size):
        placed = _place(session, source, size, folder, name)
    if control is not None:
        placed |= _place(session, io.BytesIO(control), len(control), folder, control_name(name))
    return placed


def put_answer(session: SftpSession, body: bytes, folder: str, name: str) -> str:
    """Deliver an acknowledgement, and return the name that it bears there.

    An earlier answer that the partner has not taken away keeps its name; this one then gets a number (`A.2.ack`):
    neither is lost, and neither changes under a reader. Delivered again, it is found where it was put.

    Raises:
        RejectedError: `REMOTE_NAME_TAKEN`: so many answers lie there unread; `NAME_INVALID`.
        UnavailableError, MisconfiguredError: as `put`.
    """
    for number in range(1, MOST_ANSWERS):
        try:
            put(session, body, folder, numbered(name, number))
        except RejectedError as error:
            if error.code != codes.REMOTE_NAME_TAKEN:
                raise
        else:
            return numbered(name, number)
    reason = f"{MOST_ANSWERS} answers called {name} lie in {folder!r}"
    raise RejectedError(reason, code=codes.REMOTE_NAME_TAKEN, where=session.place)


@contextmanager
def _opened(local: Path | bytes) -> Iterator[tuple[BinaryIO, int]]:
    """Yield a local file, or bytes, as a stream with its size."""
    with io.BytesIO(local) if isinstance(local, bytes) else local.open("rb") as stream:
        yield stream, stream.seek(0, io.SEEK_END)


def _place(session: SftpSession, source: BinaryIO, size: int, folder: str, name: str) -> bool:
    """Make one file appear whole under its name; return False when it was there already."""
    target, part = join(folder, name), join(folder, part_name(name))
    if _holds(session, target, source, size):
        _remove(session, part)
        return False
    try:
        upload(session, source, size, part)
    except FileNotFoundError as error:
        reason = f"folder {folder!r} does not exist"
        raise MisconfiguredError(reason, code=codes.SFTP_FOLDER_MISSING, where=session.place) from error
    try:
        with session.asking(f"rename {part} to {target}"):
            session.client.rename(part, target)
    except (FileNotFoundError, UnavailableError, MisconfiguredError) as error:
        if isinstance(error, UnavailableError) and error.code == codes.SFTP_AWAY:
            raise
        if not _holds(session, target, source, size):
            raise MisconfiguredError(str(error), code=codes.SFTP_RENAME_REFUSED, where=session.place) from error
        # Another worker, or an answer that got lost: the file is there, and it is ours.
        _remove(session, part)
        return False
    return True


def _holds(session: SftpSession, path: str, source: BinaryIO, size: int) -> bool:
    """Return whether the file lies there already with our content, read back to be sure; False when there is none.

    Raises:
        RejectedError: `REMOTE_NAME_TAKEN`: a file with other content has the name.
    """
    found = size_of(session, path)
    if found is None:
        return False
    if found == size and hash_of(session, path, size) == hash_of_start(source, size).hexdigest():
        return True
    reason = f"{path} exists with other content"
    raise RejectedError(reason, code=codes.REMOTE_NAME_TAKEN, where=session.place)


def _remove(session: SftpSession, path: str) -> None:
    """Remove what an earlier attempt left; nothing there is fine."""
    try:
        with session.asking(f"remove {path}"):
            session.client.remove(path)
    except FileNotFoundError:
        return


def offered(session: SftpSession, folder: str) -> list[OfferedFile]:
    """Return the files on offer in a folder, by name: no hidden, unfinished or control files.

    Raises:
        MisconfiguredError: `SFTP_FOLDER_MISSING`, `SFTP_PERMISSION`.
        UnavailableError: the server is away.
    """
    try:
        found = [entry for entry in entries(session, folder) if is_regular(entry)]
    except FileNotFoundError as error:
        reason = f"folder {folder!r} does not exist"
        raise MisconfiguredError(reason, code=codes.SFTP_FOLDER_MISSING, where=session.place) from error
    names = {entry.filename for entry in found}
    for name in sorted(names):
        if is_hostile(name):
            # It cannot be fetched, moved or answered under such a name; its sender must take it back.
            LOG.warning("%s: %s in %r is not a file name; it is left where it is", session.place, ascii(name), folder)
    return [
        OfferedFile(
            name=entry.filename,
            size=entry.st_size or 0,
            modified=float(entry.st_mtime or 0),
            has_manifest=control_name(entry.filename) in names,
            folder=folder,
        )
        for entry in sorted(found, key=lambda entry: entry.filename)
        if is_data_file(entry.filename)
    ]


def fetch(
    session: SftpSession, files: Sequence[OfferedFile], into: Path, *, unwrap: Unwrap | None = None
) -> Iterator[FetchedFile]:
    """Bring files into the folder `into`, in order, resuming what was cut; a file that is gone meanwhile is left out.

    A file whose control file contradicts it, or whose wrapper cannot be opened, comes with `refusal` and as it came
    over the wire; `sha256` is always that of the wire bytes.

    Raises:
        UnavailableError: the way was cut (what has arrived is kept), or the spool is full.
    """
    for file in files:
        if (fetched := _fetch_one(session, file, into, unwrap)) is not None:
            yield fetched


def _fetch_one(session: SftpSession, file: OfferedFile, into: Path, unwrap: Unwrap | None) -> FetchedFile | None:
    """Bring one file in; None when it is gone."""
    source, part = join(file.folder, check_name(file.name)), into / part_name(file.name)
    size = size_of(session, source)
    if size is None:
        return None
    with spooling(part):
        into.mkdir(parents=True, exist_ok=True)
    try:
        sha256 = download(session, source, size, part)
        control = _read_small(session, join(file.folder, control_name(file.name)))
    except FileNotFoundError:
        return None
    path = part.rename(into / file.name)
    manifest, refusal = None, None
    try:
        if control is not None:
            manifest = manifest_from_json(control, where=control_name(file.name))
            _check(manifest, file.name, size, sha256)
        if unwrap is not None:
            path = unwrap(path)
    except RejectedError as error:
        refusal = error
    return FetchedFile(offered=file, path=path, sha256=sha256, manifest=manifest, refusal=refusal)


def _read_small(session: SftpSession, path: str) -> bytes | None:
    """Return the content of a control file, None when there is none."""
    size = size_of(session, path)
    if size is None:
        return None
    with session.asking(f"read {path}"), session.client.open(path, "rb") as remote:
        return remote.read(min(size, MANIFEST_LIMIT + 1))


def _check(manifest: Manifest, name: str, size: int, sha256: str) -> None:
    """Compare a control file with the data file that arrived.

    Raises:
        RejectedError: `MANIFEST_MISMATCH`.
    """
    says, is_so = (manifest.name, manifest.bytes, manifest.sha256), (name, size, sha256)
    if says != is_so:
        reason = "; ".join(f"{a} stands for {b}" for a, b in zip(says, is_so, strict=True) if a != b)
        raise RejectedError(reason, code=codes.MANIFEST_MISMATCH, where=name)


def retire(session: SftpSession, files: Sequence[OfferedFile], folder: str) -> None:
    """Move files with their control files to a folder such as `outbound/archive/20261101`, made where it is missing.

    A file that is not there any more was moved before: done. A name that the folder holds already gets a number.

    Raises:
        MisconfiguredError: the server does not permit it.
        UnavailableError: the server is away; the same call again finishes the rest.
    """
    if files:
        _make_folder(session, folder)
    for file in files:
        _move(session, file.folder, folder, check_name(file.name))
        _move(session, file.folder, folder, control_name(file.name))


def _make_folder(session: SftpSession, folder: str) -> None:
    """Make a folder and those above it; existing ones are fine."""
    parts = folder.rstrip("/").split("/")
    for depth in range(1, len(parts) + 1):
        path = "/".join(parts[:depth])
        if path and size_of(session, path) is None:
            try:
                with session.asking(f"make folder {path}"):
                    session.client.mkdir(path)
            except FileNotFoundError as error:
                reason = f"folder {path!r} cannot be made"
                raise MisconfiguredError(reason, code=codes.SFTP_FOLDER_MISSING, where=session.place) from error


def _move(session: SftpSession, source_folder: str, target_folder: str, name: str) -> None:
    """Move one file; one that is gone was moved before."""
    source = join(source_folder, name)
    if size_of(session, source) is None:
        return
    target, number = join(target_folder, name), 1
    while size_of(session, target) is not None:
        number += 1
        target = join(target_folder, f"{name}.{number}")
    try:
        with session.asking(f"move {source} to {target}"):
            session.client.rename(source, target)
    except FileNotFoundError:
        return
