"""Processes that listen, the command line, and composition."""
