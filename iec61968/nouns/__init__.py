"""One noun of IEC 61968-9 a file: from the wire and to the wire."""
