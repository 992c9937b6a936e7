"""Write the catalogue: `python -m stock.catalogue --warehouse NAME --cache FOLDER`."""

import argparse
import hashlib
import json
import sys
from pathlib import Path

ITEMS = {"rope": 120, "anchor": 7, "lantern": 42, "sextant": 3}


def catalogue(warehouse: str) -> dict[str, object]:
    """Return the catalogue of a warehouse."""
    return {"warehouse": warehouse, "items": ITEMS}


def main(words: list[str]) -> int:
    """Print the catalogue, from the cache when it is there."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--warehouse", required=True)
    parser.add_argument("--cache", type=Path, required=True)
    options = parser.parse_args(words)
    key = json.dumps([options.warehouse, ITEMS], sort_keys=True).encode()
    kept: Path = options.cache / hashlib.sha256(key).hexdigest()
    if not kept.exists():
        kept.write_text(json.dumps(catalogue(options.warehouse), indent=2) + "\n")
    sys.stdout.write(kept.read_text())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
