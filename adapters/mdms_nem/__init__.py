"""A provider of meter data that speaks NEM12/NEM13 files over SFTP."""
