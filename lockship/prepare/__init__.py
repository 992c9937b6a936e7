"""Before the lock: configuration, git's HEAD and working tree, and pins become one Lock.

This is the only room that looks at the world (law 1), and it looks once: HEAD is resolved to a
commit at the start, and everything else, `lockship.toml` too, is read from that commit's tree or,
when a dirty tree was forced, from the tree of its snapshot. Nothing else may import this room,
the command line aside.
"""
