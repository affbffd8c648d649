"""A provider of meter data whose files are bare CIM messages."""
