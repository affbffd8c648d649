"""A CIS that exchanges files over SFTP as docs/adapters/cis_flatfile.md says, or by a layout file of its own."""
