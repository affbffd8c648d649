"""Any system that says and is told what it holds of master data in files of layout `masters/1` over SFTP."""
