"""Private servers for tests: started by them, in folders of their own, gone afterwards."""
