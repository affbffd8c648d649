"""Names of files on a partner's server: what may be a name, and which control file belongs to it."""

from canonical.codes import transport as codes
from canonical.errors import RejectedError

NAME_LIMIT = 200
"""Longest name in bytes; leaves room for what we put around it."""

ANSWERS = (".ack", ".nak", ".exc")
"""Suffixes of a partner's acknowledgement; the three are read as the same thing."""

_WRAPPERS = (".pgp", ".gpg", ".gz", ".zip")


def check_name(name: str) -> str:
    """Return the name when it is a plain file name that stays in its folder.

    Raises:
        RejectedError: `NAME_INVALID`: empty, too long, a slash, a step upwards, or a character that cannot be shown.
    """
    bad = (
        not name
        or name.startswith(".")
        or "/" in name
        or "\\" in name
        or not name.isprintable()
        or len(name.encode(errors="surrogatepass")) > NAME_LIMIT
    )
    if bad:
        raise RejectedError(f"{name[:80]!r} is not a file name", code=codes.NAME_INVALID)
    return name


def is_data_file(name: str) -> bool:
    """Return whether a listed name is a file to take in: no hidden, unfinished or control file."""
    try:
        check_name(name)
    except RejectedError:
        return False
    return not name.lower().endswith((".part", ".ctl", ".tmp"))


def is_hostile(name: str) -> bool:
    """Return whether a listed name is none that anybody could mean; a hidden file is merely none of ours."""
    try:
        check_name(name.lstrip(".") or "hidden")
    except RejectedError:
        return True
    return False


def stem(name: str) -> str:
    """Return the name without wrappers and file type: `A.dat.gz` and `A.ctl` share the stem `A`."""
    while name.lower().endswith(_WRAPPERS):
        name = name.rpartition(".")[0]
    head, dot, _ = name.rpartition(".")
    return head if dot and head else name


def control_name(name: str) -> str:
    """Return the name of the control file that belongs to a data file."""
    return f"{stem(name)}.ctl"


def numbered(name: str, number: int) -> str:
    """Return a name with a number before its file type: `A.ack` and 2 give `A.2.ack`; 1 leaves it as it is."""
    head, _, kind = name.rpartition(".")
    return name if number == 1 else f"{head}.{number}.{kind}"


def part_name(name: str) -> str:
    """Return the name under which a file grows, which every reader ignores."""
    return f".{name}.part"


def join(folder: str, name: str) -> str:
    """Return the path of a name in a folder of the server."""
    return f"{folder.rstrip('/')}/{name}" if folder else name
