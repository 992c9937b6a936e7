"""What the history of lockfiles says, and whether it is true: for the push's verdict and the audit.

Everything is read from git's objects by ids that are given; nothing here looks at HEAD, the index,
the working tree or `lockship.toml` (law 1).
"""
