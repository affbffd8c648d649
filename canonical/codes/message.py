"""Codes of 1xxx: messages, XML, SOAP and delivery."""
