"""The outside world of the demo: a city, its CIS and its MDMS, an auditor. No hub code in here."""
