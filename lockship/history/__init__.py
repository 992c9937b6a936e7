"""What the history of lockfiles says, and whether it is true: for the push's verdict and the audit.

Everything is read from git's objects by ids that are given; nothing here looks at the working tree
or `lockship.toml` (law 1). Only `head` and `commit`, which record a deploy in git, look at HEAD.
"""
