"""Many locks: what was deployed when, by whom and from what, told from git and then checked.

`history` walks git and reads the locks, `entries` says what each change of a lockfile was, `verify`
checks it against git's objects, the registry and the hosts. Pure data and functions; `cli/audit/`
shows what they return.
"""
