"""Git's pre-push hook: what a push may carry, and putting the hook in its place.

The verdict is made from git's objects and from the locks in them, never from the working tree: what
counts is what is pushed.
"""
