"""Lock → image: the locked tree in a build folder, BuildKit's build, push, artifact.

Reads a Lock and the git objects that it names; never the working directory's files, HEAD or
`lockship.toml` (laws 1 and 3). Read in this order: `image` (the stage itself), `folder` (where the
locked tree is built from), `content` (which tree that is), `command` (what BuildKit is told).
"""
