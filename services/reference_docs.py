"""Reference pages that are generated from the code: docs/errors.md. `make docs` writes them; a test compares."""

from pathlib import Path

from canonical.codes import ALL
from canonical.errors import ErrorCode

AREAS = {
    "1": "Messages, XML, SOAP and delivery",
    "2": "Identity",
    "3": "Linkage",
    "4": "Configuration",
    "5": "Commands",
    "6": "Readings and billing",
    "7": "Files",
    "8": "Rollout",
    "9": "Cutover and reconciliation",
}
"""Meaning of a code's first digit (domain specification 9)."""

HEAD = """# Error codes

Generated from `canonical/codes/` by `make docs`; a test holds both together. Every refusal, park and work item has one.

**Try again**: whether the same message may succeed later without being changed.
"""


def errors_page() -> str:
    """Return docs/errors.md: every code by area, with meaning, next step, who acts, and whether trying again helps."""
    lines = [HEAD]
    for digit, area in AREAS.items():
        codes = [code for number, code in sorted(ALL.items()) if number.startswith(digit)]
        if codes:
            lines += [f"## {digit}xxx {area}", "", "| code | meaning | what to do | who acts | severity | try again |"]
            lines += ["|---|---|---|---|---|---|", *map(_row, codes), ""]
    return "\n".join(lines)


def _row(code: ErrorCode) -> str:
    """Return one code as a table row with an anchor."""
    again = "yes" if code.retryable else "no"
    return (
        f'| <a id="{code.number}"></a>`{code.number}` {code.name} | {code.meaning} | {code.next_step} | {code.acts} '
        f"| {code.severity} | {again} |"
    )


def write(root: Path) -> None:
    """Write the generated pages below `root`."""
    (root / "docs" / "errors.md").write_text(errors_page(), encoding="utf-8")


if __name__ == "__main__":
    write(Path(__file__).parents[1])
