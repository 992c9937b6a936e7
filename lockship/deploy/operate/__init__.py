"""What is done to a service between deploys: stop, start, restart, remove.

Observe, plan, apply, as a deploy (law 5). Read in this order: `plans` (what is to be done, pure)
and `run` (doing it, under the mutex, with a line in the journal). Unlike a deploy's, none of these
steps is taken back: who stops a service wants it stopped, also where one host doesn't answer.
"""
