"""A route reader that gets routes and brings manual reads in files of `route/1` and `manual_reads/1` over SFTP."""
