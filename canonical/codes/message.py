"""Codes of 1xxx: messages, XML, SOAP and delivery."""

from canonical.errors import ErrorCode

MSG_ID_REUSED = ErrorCode(
    "1001",
    "MSG_ID_REUSED",
    "A message id came again with other bytes.",
    "Send the changed message under a new message id.",
)
BEING_PROCESSED = ErrorCode(
    "1002",
    "BEING_PROCESSED",
    "The same message is being processed by another worker.",
    "Ask again in a few minutes with the same message id.",
    severity="INFO",
    retryable=True,
)
CLAIM_LOST = ErrorCode(
    "1003",
    "CLAIM_LOST",
    "A worker took longer than its lease and another worker took the message over.",
    "Nothing: the work was rolled back here and is done there.",
    acts="hub",
    severity="WARNING",
    retryable=True,
)
DELIVERY_KEY_REUSED = ErrorCode(
    "1004",
    "DELIVERY_KEY_REUSED",
    "A delivery key came again with other bytes for the same destination.",
    "Give a corrected message a new version, and with it a new key.",
    acts="hub",
)
ATTEMPTS_EXHAUSTED = ErrorCode(
    "1005",
    "ATTEMPTS_EXHAUSTED",
    "A destination stayed away for all attempts of a delivery.",
    "Bring the destination back, then `amihub parked replay` the delivery.",
    acts="operator",
)
DELIVERY_EXPIRED = ErrorCode(
    "1006",
    "DELIVERY_EXPIRED",
    "A delivery could not be made before it lost its meaning.",
    "Nothing is sent any more; look at what the message was for.",
    acts="operator",
    severity="WARNING",
)
UNCONFIRMED = ErrorCode(
    "1007",
    "UNCONFIRMED",
    "A destination took a delivery but did not confirm it in time.",
    "Ask the destination what it holds; replay only if it holds nothing.",
    acts="operator",
)
NOT_IN_STORE = ErrorCode(
    "1008",
    "NOT_IN_STORE",
    "No message or delivery has this id.",
    "Find it with `amihub messages search` or `amihub parked list`.",
    acts="operator",
)
NOT_REPLAYABLE = ErrorCode(
    "1009",
    "NOT_REPLAYABLE",
    "A message or delivery is in a state from which it is not sent or handled again.",
    "Look at its state with `amihub parked show`.",
    acts="operator",
)

# XML, SOAP and IEC 61968-100 messages

NOT_XML = ErrorCode(
    "1101", "NOT_XML", "The message is not well-formed XML.", "Correct the message and send it with a new MessageID."
)
DTD_REFUSED = ErrorCode(
    "1102",
    "DTD_REFUSED",
    "The message declares a document type or entities, which are refused unread.",
    "Send the message without a DOCTYPE.",
)
MESSAGE_TOO_LARGE = ErrorCode(
    "1103",
    "MESSAGE_TOO_LARGE",
    "The message is larger than this endpoint takes.",
    "Split the message and send the parts.",
)
XML_LIMITS = ErrorCode(
    "1104",
    "XML_LIMITS",
    "The XML is nested too deep, or has too many elements or attributes.",
    "Send a flatter or smaller message.",
)
UNSUPPORTED_ENCODING = ErrorCode(
    "1105", "UNSUPPORTED_ENCODING", "The message is not written in UTF-8.", "Send the message in UTF-8."
)
NOT_SOAP = ErrorCode(
    "1106",
    "NOT_SOAP",
    "The message is XML but not a SOAP 1.1 envelope with one body element.",
    "Call the operation as the WSDL states it.",
)
WRONG_NAMESPACE = ErrorCode(
    "1107",
    "WRONG_NAMESPACE",
    "The message is in a namespace that this endpoint does not speak.",
    "Use the namespaces of the WSDL (edition of the endpoint).",
)
SCHEMA_INVALID = ErrorCode(
    "1108",
    "SCHEMA_INVALID",
    "The message does not follow its schema.",
    "Correct the element that the error names, by the schema that the endpoint serves.",
)
UNKNOWN_VERB = ErrorCode(
    "1109", "UNKNOWN_VERB", "The verb is not one of IEC 61968-100.", "Use a verb that the WSDL names."
)
UNKNOWN_NOUN = ErrorCode(
    "1110", "UNKNOWN_NOUN", "The noun is not one that this endpoint knows.", "Use the noun that the WSDL names."
)
WRONG_SOAP_ACTION = ErrorCode(
    "1111",
    "WRONG_SOAP_ACTION",
    "The SOAPAction header names another operation than the body.",
    "Send the SOAPAction that the WSDL states for the operation.",
)
WRONG_CREDENTIALS = ErrorCode(
    "1112",
    "WRONG_CREDENTIALS",
    "The caller gave no user and password, or wrong ones.",
    "Check the user and password of this endpoint with its operator.",
    acts="administrator",
)
NOT_SUPPORTED_HERE = ErrorCode(
    "1113",
    "NOT_SUPPORTED_HERE",
    "The message is understood, but nothing at this site takes it.",
    "Do not send this message here; ask the operator which operations have an owner.",
)
CORRELATION_MISMATCH = ErrorCode(
    "1114",
    "CORRELATION_MISMATCH",
    "The answer does not belong to the question that was asked.",
    "Report it to the operator of the answering system.",
)
PARTNER_REFUSED = ErrorCode(
    "1115",
    "PARTNER_REFUSED",
    "The other system refused the message.",
    "Read its reason, correct the cause, and replay the delivery.",
    acts="operator",
)
PARTNER_AWAY = ErrorCode(
    "1116",
    "PARTNER_AWAY",
    "The other system did not answer, or answered that it cannot now.",
    "Nothing: it is tried again.",
    acts="hub",
    severity="WARNING",
    retryable=True,
)
BAD_XML_VALUE = ErrorCode(
    "1117",
    "BAD_XML_VALUE",
    "An element holds a value that cannot be read (number, instant, identifier).",
    "Correct the value that the error names.",
)
EXPORT_IMPOSSIBLE = ErrorCode(
    "1118",
    "EXPORT_IMPOSSIBLE",
    "The message cannot be said in the words of the other system.",
    "Report it to the operator: what was to be told has no wire form.",
    acts="operator",
)
TLS_REFUSED = ErrorCode(
    "1119",
    "TLS_REFUSED",
    "The other system's certificate is not the pinned one, or cannot be checked.",
    "Check the certificate and ca_file of the endpoint.",
    acts="administrator",
    severity="FATAL",
)

PARTNER_TOOK_PART = ErrorCode(
    "1120",
    "PARTNER_TOOK_PART",
    "The other system took some objects of the message and refused others.",
    "Correct the objects that the reason names and replay the delivery; what was taken before is taken as it is.",
    acts="operator",
)

# Whole exchanges of IEC 61968-100: compression, split deliveries, requests and their answers, security

COMPRESSED_REFUSED = ErrorCode(
    "1130",
    "COMPRESSED_REFUSED",
    "A compressed payload cannot be expanded, or grows beyond what this endpoint takes.",
    "Send the payload as gzip in base64 with its Format, or uncompressed and split.",
)
BAD_SPLIT = ErrorCode(
    "1131",
    "BAD_SPLIT",
    "A part of a split delivery does not say which part of how many it is, or contradicts another part.",
    "State MessageIndex as n/m, the same m in all parts, under one CorrelationID.",
)
REPLY_ADDRESS_REFUSED = ErrorCode(
    "1133",
    "REPLY_ADDRESS_REFUSED",
    "The reply address is not one that this site knows for the caller; nothing is ever sent there.",
    "Name a reply address that the operator has entered for you.",
)
REPLY_ADDRESS_MISSING = ErrorCode(
    "1134",
    "REPLY_ADDRESS_MISSING",
    "An asynchronous answer is wanted, but no reply address is given.",
    "State ReplyAddress and CorrelationID, or ask without AsyncReplyFlag.",
)
BULK_NEEDS_ASYNC = ErrorCode(
    "1135",
    "BULK_NEEDS_ASYNC",
    "The request names more objects than are answered while the caller waits, or than are answered at all.",
    "Ask with AsyncReplyFlag and a ReplyAddress, or split the request.",
)
REQUEST_NOT_FOUND = ErrorCode(
    "1136",
    "REQUEST_NOT_FOUND",
    "No request of this caller has the correlation id that is to be cancelled or changed.",
    "Use the CorrelationID of the original request.",
)
REQUEST_AMBIGUOUS = ErrorCode(
    "1137",
    "REQUEST_AMBIGUOUS",
    "More than one request of this caller has the correlation id that is to be cancelled or changed.",
    "Give each request a CorrelationID of its own, and name the MessageID in Request/ID.",
)
REQUEST_FINAL = ErrorCode(
    "1138",
    "REQUEST_FINAL",
    "The request to be cancelled or changed has already come to its end.",
    "Look at its answer.",
)
REQUEST_UNDER_WAY = ErrorCode(
    "1139",
    "REQUEST_UNDER_WAY",
    "The request to be cancelled or changed is being carried out at this moment.",
    "Wait for its answer.",
    retryable=True,
)
REQUEST_TIMED_OUT = ErrorCode(
    "1140",
    "REQUEST_TIMED_OUT",
    "The request's deadline passed before everything was answered.",
    "Ask again for what is missing; a late answer is kept with the request.",
)
READINGS_UNAVAILABLE = ErrorCode(
    "1141",
    "READINGS_UNAVAILABLE",
    "The meter data system holds no readings of the object for the span.",
    "Check the object and the span, or ask for a fresh reading.",
)
CANCELLED_BY_CALLER = ErrorCode(
    "1142",
    "CANCELLED_BY_CALLER",
    "The caller withdrew the request before it was carried out.",
    "Nothing: ask again if it is wanted after all.",
    severity="INFO",
)
MESSAGE_REPLAYED = ErrorCode(
    "1143",
    "MESSAGE_REPLAYED",
    "A nonce came a second time, or its Created lies outside the window: the message may be a recording.",
    "Send a fresh nonce and the present time; set the sender's clock.",
)
SIGNATURE_REFUSED = ErrorCode(
    "1144",
    "SIGNATURE_REFUSED",
    "The signature is missing, wrong, made with another key, or does not cover the body that is to be read.",
    "Sign Body and Timestamp with the key whose certificate the operator has pinned, RSA or ECDSA with SHA-256.",
)
OPERATIONS_ROLLED_BACK = ErrorCode(
    "1145",
    "OPERATIONS_ROLLED_BACK",
    "An operation of a transactional set failed, so none of the set was done.",
    "Correct the operation that the error names and send the whole set again.",
)
