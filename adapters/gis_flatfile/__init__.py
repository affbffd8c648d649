"""A GIS that says by which transformer and feeder usage points are supplied, in files of layout `topology/1`."""
