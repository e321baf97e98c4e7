"""What a release is and where it runs, all from the environment."""

from __future__ import annotations

import os

RELEASE = os.environ["RELEASE"]
EDITION = int(os.environ["EDITION"])
FAULT = os.environ["FAULT"]
DATABASE_URL = os.environ["DATABASE_URL"]
REDIS_URL = os.environ["REDIS_URL"]
POOL_SIZE = int(os.environ.get("POOL_SIZE", "8"))
CACHE_TTL_S = int(os.environ.get("CACHE_TTL_S", "10"))
