"""Assets of two versions, while both serve: files whose names change with their content.

A page of one version may ask a container of the other for its style sheet, on another host or after
the switch. So before a new container starts, it gets the files that the old one has and it has not,
and the old one gets the new one's. Read `steps` (what a plan says) and then `bridge` (doing it).
"""
