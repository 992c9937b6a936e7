"""What a service needs beside itself: one container on each of its hosts, which no deploy touches.

Observe, plan, apply, as a deploy (law 5). Read in this order: `labels` (what is called what),
`observe` (what is there), `plans` (what is to be done, pure), `apply` (doing a step). That the
mutex is held and a line goes into the journal is `operate.run`'s, as for every act between deploys.
"""
