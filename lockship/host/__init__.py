"""One server: SSH or local connection, Docker Engine API, files, tunnels, remote processes.

This room knows how to reach a server and what an engine can do; it knows nothing of plans,
rollouts or lockfiles beyond a host's address and keys. Its errors carry the host's name.
"""
