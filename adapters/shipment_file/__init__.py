"""A manufacturer that announces the meters that it ships in files of layout `shipment/1` over SFTP."""
