"""The contract: the frozen model of `.shiplock`, its reader and writer, its fingerprint.

Everything after `prepare` is given a `Lock` from here and looks at nothing else (law 1). This room
knows TOML and the model, and neither git nor Docker nor hosts.
"""
