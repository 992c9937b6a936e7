"""Random sequences of what people do between two deploys, each command a process of its own.

Read in this order: `steps` (what may be done), `draw` (a random sequence), `repository` (doing it
to a git repository), `content` (what a lock must say, by git's own plumbing), `model` (what must
come of each command), `oracle` (what hosts say and serve), `play` (all of it together). No module
here imports lockship: an oracle that shared its code would share its mistakes.
"""
