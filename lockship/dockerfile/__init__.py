"""Dockerfiles: their instructions, the images that they name, and the same text with digests."""
