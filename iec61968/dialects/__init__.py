"""Codes as data: what each source's quality and reply codes mean, in tables beside this file."""
