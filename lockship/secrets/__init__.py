"""Values that nobody may see: where they come from, and how they stay out of sight.

Read in this order: `secret` (a value), `sources` (the table of all kinds of source), `resolve`
(all secrets of a lock, in parallel), `mask` (text without them). A lock holds names and sources,
never a value (law 8).
"""
