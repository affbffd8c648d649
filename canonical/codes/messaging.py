"""Codes of 1220 to 1239: queues and the broker that holds them."""

from canonical.errors import ErrorCode

BROKER_AWAY = ErrorCode(
    "1220",
    "BROKER_AWAY",
    "The broker does not answer, or the connection broke before it confirmed.",
    "Nothing: it is tried again, and whoever takes the message recognizes a repeat.",
    acts="operator",
    retryable=True,
)
QUEUE_FULL = ErrorCode(
    "1221",
    "QUEUE_FULL",
    "The broker refused a message: its queue is full, or it cannot keep it durably now.",
    "Find out why nobody takes messages from this queue: `amihub messaging status`.",
    acts="operator",
    retryable=True,
)
UNROUTABLE = ErrorCode(
    "1222",
    "UNROUTABLE",
    "The broker returned a message: no queue is bound for it.",
    "Run `amihub messaging declare`, then `amihub parked replay` the delivery.",
    acts="administrator",
)
QUEUE_DIFFERS = ErrorCode(
    "1223",
    "QUEUE_DIFFERS",
    "A queue or exchange of this name is there with other arguments than the site file gives it.",
    "Give the site file the old value, or drain and delete the old queue, then `amihub messaging declare`.",
    acts="administrator",
    severity="FATAL",
)
BROKER_REFUSES = ErrorCode(
    "1224",
    "BROKER_REFUSES",
    "The broker refuses our user, certificate or permission.",
    "Correct the address in [messaging], or the permissions of its user.",
    acts="administrator",
    severity="FATAL",
)
BROKER_TOO_OLD = ErrorCode(
    "1225",
    "BROKER_TOO_OLD",
    "The site asks for quorum queues, and this broker cannot keep the promises that they make.",
    'Use RabbitMQ 3.10 or newer, or set queue_type = "classic" and read what that gives up in docs/messaging.md.',
    acts="administrator",
    severity="FATAL",
)
QUEUE_UNKNOWN = ErrorCode(
    "1226",
    "QUEUE_UNKNOWN",
    "A queue is named that [messaging] does not define.",
    "Name one of those that the message lists, or add it to the site file.",
    acts="administrator",
    severity="FATAL",
)
QUEUE_MISSING = ErrorCode(
    "1227",
    "QUEUE_MISSING",
    "A queue or exchange of the site is not at the broker.",
    "Run `amihub messaging declare`.",
    acts="administrator",
    severity="FATAL",
)
DELIVERED_TOO_OFTEN = ErrorCode(
    "1228",
    "DELIVERED_TOO_OFTEN",
    "A message was delivered again and again, and each time the work on it did not come to an end.",
    "Look at the message and at the log of those times; mend the cause, then `amihub messaging drain` its queue.",
    acts="operator",
)
RETRIES_EXHAUSTED = ErrorCode(
    "1229",
    "RETRIES_EXHAUSTED",
    "What a message from a queue needs stayed away for all retries.",
    "Bring back what the message needs, then `amihub messaging drain` its queue.",
    acts="operator",
)
LETTER_EXPIRED = ErrorCode(
    "1230",
    "LETTER_EXPIRED",
    "A message lay in its queue until it was of no use any more.",
    "Nothing is done with it; look at why nobody took it in time.",
    acts="operator",
    severity="WARNING",
)
QUEUE_FILE_UNUSABLE = ErrorCode(
    "1231",
    "QUEUE_FILE_UNUSABLE",
    "The file of the embedded queue cannot be opened, or is none.",
    "Correct `file` in [messaging], or the rights of its folder.",
    acts="administrator",
    severity="FATAL",
)
MESSAGING_ABSENT = ErrorCode(
    "1232",
    "MESSAGING_ABSENT",
    "Queues are asked for, and the site file has no [messaging].",
    "Add the section; docs/messaging.md says how.",
    acts="administrator",
    severity="FATAL",
)
LETTERS_PARKED = ErrorCode(
    "1233",
    "LETTERS_PARKED",
    "Messages lie in a park queue: expired, refused by who read them, or handed out too often.",
    "Look with `amihub messaging drain --dry-run`; mend the cause, then drain them back.",
    acts="operator",
)
LETTERS_UNROUTED = ErrorCode(
    "1234",
    "LETTERS_UNROUTED",
    "A partner sent messages with a routing key that no queue is bound for.",
    "Tell the partner that the keys are `high` and `normal`; fetch the messages from `amihub.unrouted`.",
    acts="operator",
)
WORK_UNFINISHED = ErrorCode(
    "1235",
    "WORK_UNFINISHED",
    "Work on a message from a queue met a defect of the hub; it is put off, and parked when that happens too often.",
    "Look at the log of that time, where the trace is; mend the cause.",
    acts="operator",
    retryable=True,
)
