"""A CIS over IEC 61968-9 web services: master data both ways, readings and exchanges told to it."""
