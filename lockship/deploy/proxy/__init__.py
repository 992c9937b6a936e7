"""The host's proxy, shared by the services there: one container, and one route file for each.

Read in this order: `route` (a service's file), `container` (the proxy's own), `observe`, `boot`,
`confirm` (asking the proxy what it serves), `drain`, and `manage` (the proxy without a deploy).
"""
