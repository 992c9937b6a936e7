"""Values that nobody may see: where they come from, and how they stay out of sight.

Read in this order: `secret` (a value), `kind` (what a kind of source is), `sources` (the table of
all kinds; `managers` has those that a password manager's own program serves), `resolve` (all
secrets of a lock, in parallel), `mask` (text without them). A lock holds names and sources, never a
value (law 8).
"""
