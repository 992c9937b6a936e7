"""Coming from Kamal: its `config/deploy.yml` becomes a `lockship.toml`, once.

Every key of Kamal 2 is carried over, or named with the reason why not; so is one that nobody knows.
Read in this order: `source` (the YAML as it is written), `draft` (what becomes of it), then one
file for each part of Kamal's configuration, and `convert`, which puts them together. The keys and
their defaults are those of https://github.com/basecamp/kamal/tree/main/lib/kamal/configuration/docs
"""
