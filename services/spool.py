"""The hub's spool as operators see it: how long things are kept, and what goes with a file that is dropped."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from canonical.codes.configuration import RETENTION_TOO_SHORT
from canonical.errors import MisconfiguredError
from sftp.names import control_name


def days_of(text: str) -> timedelta:
    """Return an age such as `400d`.

    Raises:
        MisconfiguredError: it is no number of days.
    """
    found = re.fullmatch(r"([0-9]{1,6})d", text.strip())
    if found is None:
        raise MisconfiguredError(f"{text!r} is no age such as 400d", code=RETENTION_TOO_SHORT)
    return timedelta(days=int(found[1]))


def remover(spool: Path) -> Callable[[str], None]:
    """Return what takes a file out of the spool, with its control file and the note of what was encrypted."""

    def remove(path: str) -> None:
        file = (spool / path).resolve()
        if not file.is_relative_to(spool.resolve()):
            return
        for one in (file, file.with_name(control_name(file.name)), file.with_name(f".{file.name}.content")):
            one.unlink(missing_ok=True)
        if file.parent.parent.name in ("files", "quarantine") and not any(file.parent.glob("*")):
            file.parent.rmdir()  # the folder that one file of a partner had to itself

    return remove
