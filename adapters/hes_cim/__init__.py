"""A head-end over IEC 61968-9 web services: told of meters, asked what it holds, heard of by events and reads."""
