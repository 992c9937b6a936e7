"""The doors: parse, call, print. Nothing here decides what a deploy does.

Lazy: `lockship --help` loads click and nothing else; a command loads only what it needs.
"""
