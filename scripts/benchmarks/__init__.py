"""What lockship costs, beside what the same would cost without it.

Every figure is a ratio of two commands that took turns in one run, so that a slow or busy machine
slows both. `measure` takes turns, `report` writes tables, each other module holds some comparisons,
and `__main__` names them.
"""
