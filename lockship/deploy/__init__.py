"""Lock + image → hosts: observe, plan (pure), apply; journal, mutex, probe, status, rollback.

Read in this order: `observe` (what is there), `plan` (what to do, and how it is taken back),
`steps` (the vocabulary between the two), `apply` (one step on one server), `rollout` (the fleet:
`exclusion` holds every host's mutex, `phases` applies the plan and takes it back, `ending` tells
how a rollout ended that didn't end well). `operate` is what is done between deploys.
"""
