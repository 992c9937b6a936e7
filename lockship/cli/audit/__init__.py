"""The doors of `lockship audit`: one file for each of its commands, and what they share."""
