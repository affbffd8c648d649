"""Codes of 4xxx: configuration of devices, of the site and of the hub itself."""

from canonical.errors import ErrorCode

SITE_FILE_MISSING = ErrorCode(
    "4901",
    "SITE_FILE_MISSING",
    "The site file that AMIHUB_SITE names cannot be read.",
    "Set AMIHUB_SITE to the path of a site file; site.example.toml is one to start from.",
    acts="administrator",
    severity="FATAL",
)
SITE_FILE_SYNTAX = ErrorCode(
    "4902",
    "SITE_FILE_SYNTAX",
    "The site file is not valid TOML.",
    "Mend the line that is named.",
    acts="administrator",
    severity="FATAL",
)
SITE_FILE_INVALID = ErrorCode(
    "4903",
    "SITE_FILE_INVALID",
    "The site file says something that cannot be.",
    "Mend every line that `amihub config check` lists.",
    acts="administrator",
    severity="FATAL",
)
SECRET_MISSING = ErrorCode(
    "4904",
    "SECRET_MISSING",
    "A secret that the site file refers to is not in the environment.",
    "Set the environment variable that is named, then start again.",
    acts="administrator",
    severity="FATAL",
)
ROLE_ABSENT = ErrorCode(
    "4905",
    "ROLE_ABSENT",
    "A role is asked for that this site does not have.",
    "Add the role to the site file, or use an interface that does without it.",
    acts="administrator",
    severity="FATAL",
)
INTERFACE_UNKNOWN = ErrorCode(
    "4906",
    "INTERFACE_UNKNOWN",
    "A billing interface is named that the site file does not define.",
    "Use one of the interfaces that the message lists.",
    acts="operator",
    severity="FATAL",
)
DEMO_CLOCK_UNREADABLE = ErrorCode(
    "4907",
    "DEMO_CLOCK_UNREADABLE",
    "The demo clock's file cannot be read.",
    "Start the demo driver, which writes it, or take `demo_clock` out of the site file.",
    acts="administrator",
    severity="FATAL",
)
BAD_LAYOUT = ErrorCode(
    "4920",
    "BAD_LAYOUT",
    "A layout file does not describe a layout.",
    "Mend the record and field that the reason names; docs/layouts.md says how to write one.",
    acts="administrator",
    severity="FATAL",
)
BAD_ADAPTER_SETTINGS = ErrorCode(
    "4921",
    "BAD_ADAPTER_SETTINGS",
    "An adapter's settings cannot be used as they are.",
    "Mend the setting that the reason names; the adapter's README lists them all.",
    acts="administrator",
    severity="FATAL",
)
UNKNOWN_ADAPTER = ErrorCode(
    "4922",
    "UNKNOWN_ADAPTER",
    "A role names an adapter that does not exist.",
    "Name a folder of adapters/.",
    acts="administrator",
    severity="FATAL",
)
SERVE_SECTION_MISSING = ErrorCode(
    "4908",
    "SERVE_SECTION_MISSING",
    "The web services are asked for, but the site file does not say where they listen.",
    "Add a [serve] section, or run `amihub serve --only relay`.",
    acts="administrator",
    severity="FATAL",
)
STORE_NOT_UPGRADED = ErrorCode(
    "4909",
    "STORE_NOT_UPGRADED",
    "The hub's database has not the tables of this version.",
    "Run `amihub db upgrade`, then the same again.",
    acts="administrator",
    severity="FATAL",
)
STORE_AWAY = ErrorCode(
    "4910",
    "STORE_AWAY",
    "The hub's database does not answer, or cannot be written.",
    "See that the database of [store] url runs and has room; then the same again.",
    acts="administrator",
    severity="FATAL",
    retryable=True,
)
STORE_URL = ErrorCode(
    "4911",
    "STORE_URL",
    "The address of the hub's database cannot be read.",
    "Write [store] url as sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE.",
    acts="administrator",
    severity="FATAL",
)
RETENTION_TOO_SHORT = ErrorCode(
    "4912",
    "RETENTION_TOO_SHORT",
    "Messages would be forgotten before their repeats are sure not to come any more.",
    "Keep keys for 400 days or longer, and payloads no longer than keys.",
    acts="administrator",
    severity="FATAL",
)
WORK_NOT_FOUND = ErrorCode(
    "4930", "WORK_NOT_FOUND", "No work item, or more than one, answers to the id given.",
    "Take the id from `amihub work list`; the first eight characters usually do.", acts="operator",
)  # fmt: skip
WORK_NOT_POSSIBLE = ErrorCode(
    "4931", "WORK_NOT_POSSIBLE", "The work item cannot be handled this way in its present state.",
    "Look at it with `amihub work show`.", acts="operator",
)  # fmt: skip
EXPLAIN_NOT_FOUND = ErrorCode(
    "4932", "EXPLAIN_NOT_FOUND", "No account, meter, usage point or request answers to what was given.",
    "Check the id; a meter is named by its serial, or by manufacturer and serial.", acts="operator",
)  # fmt: skip
