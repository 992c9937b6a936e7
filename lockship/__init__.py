"""lockship deploys Docker services to your own servers from one lockfile."""

__version__ = "0.1.0"
