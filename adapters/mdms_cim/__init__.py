"""The MDMS over IEC 61968-9 web services: asked for readings, told what was billed, heard about late readings."""
