"""Codes of 7xxx: how files travel and come in: names, control files, wrappers, SFTP, order; `file` has the rest."""

from canonical.errors import ErrorCode

NAME_INVALID = ErrorCode(
    "7002",
    "NAME_INVALID",
    "A file's name is too long, or holds a slash, a control character or a step out of its folder.",
    "Send the file under a plain name.",
)
MANIFEST_UNREADABLE = ErrorCode(
    "7092",
    "MANIFEST_UNREADABLE",
    "A control file is not the JSON document that the interface describes.",
    "Send data file and control file again under a new name.",
)
MANIFEST_MISMATCH = ErrorCode(
    "7093",
    "MANIFEST_MISMATCH",
    "A control file names another data file, size or content than the file beside it.",
    "Send data file and control file again under a new name; nothing of this one was applied.",
)
ACKNOWLEDGEMENT_UNREADABLE = ErrorCode(
    "7094",
    "ACKNOWLEDGEMENT_UNREADABLE",
    "An acknowledgement file is not the JSON document that the interface describes.",
    "Send a readable acknowledgement.",
)
WRAPPER_UNREADABLE = ErrorCode(
    "7060",
    "WRAPPER_UNREADABLE",
    "A zip or gzip file is damaged or not what its name says.",
    "Send the file again under a new name.",
)
WRAPPER_TOO_LARGE = ErrorCode(
    "7061",
    "WRAPPER_TOO_LARGE",
    "A packed file unpacks to more than the interface allows, in bytes or in ratio.",
    "Send it in smaller files; it was not unpacked any further.",
)
WRAPPER_MEMBERS = ErrorCode(
    "7062",
    "WRAPPER_MEMBERS",
    "A zip file does not hold exactly one plain file without folders.",
    "Send one data file in each zip file.",
)
PGP_UNREADABLE = ErrorCode(
    "7063",
    "PGP_UNREADABLE",
    "An encrypted file cannot be decrypted with the key of this interface.",
    "Encrypt it with the hub's current public key and send it again.",
)
PGP_SIGNER_UNKNOWN = ErrorCode(
    "7064",
    "PGP_SIGNER_UNKNOWN",
    "An encrypted file has no good signature of a signer that this interface trusts.",
    "Sign it with the agreed key; it was not applied.",
)
PGP_NOT_CONFIGURED = ErrorCode(
    "7065",
    "PGP_NOT_CONFIGURED",
    "An encrypted file came or must go, but no usable key or no gpg program is set up.",
    "Name the key in the site file and install gpg.",
    acts="administrator",
    severity="FATAL",
)
SFTP_AWAY = ErrorCode(
    "7070",
    "SFTP_AWAY",
    "A partner's SFTP server cannot be reached, or cut the connection.",
    "Nothing: it is tried again. Call the partner if it lasts.",
    acts="hub",
    severity="WARNING",
    retryable=True,
)
SFTP_HOST_KEY = ErrorCode(
    "7071",
    "SFTP_HOST_KEY",
    "A partner's SFTP server shows a host key that is not pinned: it was changed, or this is another server.",
    "Ask the partner by a second channel; only then add the new key to `host_keys`. Nothing is sent until then.",
    acts="administrator",
    severity="FATAL",
)
SFTP_LOGIN_REFUSED = ErrorCode(
    "7072",
    "SFTP_LOGIN_REFUSED",
    "A partner's SFTP server refuses our user, key or password.",
    "Have the partner register our public key, or correct user and secret.",
    acts="administrator",
    severity="FATAL",
)
SFTP_SETTINGS = ErrorCode(
    "7073",
    "SFTP_SETTINGS",
    "The SFTP settings of a role cannot be used: no pinned host key, an unreadable key file, or no secret.",
    "Correct the settings of the role in the site file.",
    acts="administrator",
    severity="FATAL",
)
SFTP_INCOMPATIBLE = ErrorCode(
    "7074",
    "SFTP_INCOMPATIBLE",
    "A partner's SFTP server and the hub have no algorithm in common.",
    "Have the partner enable a current host key type, key exchange and cipher.",
    acts="administrator",
    severity="FATAL",
)
SFTP_FOLDER_MISSING = ErrorCode(
    "7075",
    "SFTP_FOLDER_MISSING",
    "An agreed folder does not exist on a partner's SFTP server.",
    "Have the partner create it, or correct the folder in the site file.",
    acts="administrator",
    severity="FATAL",
)
SFTP_PERMISSION = ErrorCode(
    "7076",
    "SFTP_PERMISSION",
    "A partner's SFTP server does not permit us what the agreement needs.",
    "Have the partner grant read, write and rename in the agreed folders.",
    acts="administrator",
    severity="FATAL",
)
SFTP_STORE_FAILED = ErrorCode(
    "7077",
    "SFTP_STORE_FAILED",
    "A partner's SFTP server could not store what we sent: usually its disk or our quota is full.",
    "Have the partner make room; the upload goes on where it stopped.",
    acts="operator",
    retryable=True,
)
SFTP_RENAME_REFUSED = ErrorCode(
    "7078",
    "SFTP_RENAME_REFUSED",
    "A partner's SFTP server does not rename files, so a file cannot appear there at once and whole.",
    "Have the partner allow rename inside the agreed folder.",
    acts="administrator",
    severity="FATAL",
)
REMOTE_NAME_TAKEN = ErrorCode(
    "7079",
    "REMOTE_NAME_TAKEN",
    "Another file with this name lies in the partner's folder; it is never overwritten.",
    "Find out who wrote it; move it away by agreement and replay the delivery.",
    acts="operator",
)
SPOOL_FULL = ErrorCode(
    "7080",
    "SPOOL_FULL",
    "The hub's own spool folder cannot take another file: its disk is full or not writable.",
    "Make room or mend the permissions; the file is fetched again where it stopped.",
    acts="administrator",
    retryable=True,
)
DUPLICATE_FILE = ErrorCode(
    "7081",
    "DUPLICATE_FILE",
    "The same file came before, under the same name with the same content.",
    "Nothing: the first one counts, this one had no effect.",
    severity="INFO",
)
DUPLICATE_CONTENT = ErrorCode(
    "7082",
    "DUPLICATE_CONTENT",
    "A file of another name with exactly this content came before.",
    "Find out why it was sent twice; the first one counts, this one had no effect.",
)
NAME_REUSED = ErrorCode(
    "7083",
    "NAME_REUSED",
    "A file of this name with other content came before.",
    "Send it under a new name with the next sequence number; it was kept aside and not applied.",
)
SEQUENCE_GAP = ErrorCode(
    "7084",
    "SEQUENCE_GAP",
    "A file of the stream is missing: a later sequence number came first.",
    "Send the missing file; later files wait for it until the agreed time.",
    severity="WARNING",
)
SEQUENCE_REGRESSION = ErrorCode(
    "7085",
    "SEQUENCE_REGRESSION",
    "A file's sequence number is not above the last one that was taken from its stream.",
    "Send it under a new name with the next sequence number; it was not applied.",
)
TOO_MANY_ERRORS = ErrorCode(
    "7086",
    "TOO_MANY_ERRORS",
    "More items of a file are bad than the interface allows.",
    "Correct the file and send it under a new name; nothing of this one was applied.",
)
BUSINESS_DATE_WRONG = ErrorCode(
    "7087",
    "BUSINESS_DATE_WRONG",
    "A file's business date lies in the future, or too far back.",
    "Wait until its day has come, or release or refuse it by hand.",
    acts="billing",
    severity="WARNING",
)
RESEND_REQUESTED = ErrorCode(
    "7089",
    "RESEND_REQUESTED",
    "A file arrived damaged and was refused whole; it is asked for again by its acknowledgement.",
    "Watch for the file under its new name; ask the partner if it does not come.",
    acts="operator",
    severity="WARNING",
)
KIND_NOT_HANDLED = ErrorCode(
    "7090",
    "KIND_NOT_HANDLED",
    "A file is of a kind that no flow of this site takes in.",
    "Do not send this kind here, or add the interface that takes it.",
)
WRONG_RECEIVER = ErrorCode(
    "7091",
    "WRONG_RECEIVER",
    "A file is addressed to another receiver or to another environment than this one.",
    "Send it where it belongs; it was not applied.",
)
