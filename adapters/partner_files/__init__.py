"""A partner that exchanges bare CIM messages of any noun as files, one message in each."""
