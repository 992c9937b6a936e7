"""The servers themselves: whether one is ready to be deployed to, and making it so.

Read in this order: `facts` (what a host tells of itself), `judge` (what that means for a lock,
pure), `check` (all hosts), `plans` (what a host lacks, pure) and `bootstrap` (installing it).
"""
