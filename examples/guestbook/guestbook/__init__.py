"""A guestbook: a web server and a worker over one SQLite file. Python's standard library only."""
