"""The process that runs one garment job: ``python -m tools.garment_worker HOME JOB THREADS
[MODELS]``.

It works at low priority: drawing goes on beside it, and somebody waits for that.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from catalog.index import Catalog
from tools.garment_jobs import work
from tools.jobs import Jobs


def main(home: str, id: str, threads: str, models: str = "") -> int:
    """Run job ``id`` to its end; 0 when it is done or waits for somebody, else 1."""
    os.nice(5)
    catalog = Catalog(Path(home), starter=False)
    folder = Path(models) if models else None
    status = Jobs(Path(home), work(catalog, int(threads), folder)).run(id, again=False)
    return 0 if status.state in ("done", "queued") else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
