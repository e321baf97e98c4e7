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

# For measurements: how long the app boots; what /api/work takes, most of the time and in its slow share of requests.
BOOT_S = float(os.environ.get("BOOT_S", "0"))
WORK_MS = float(os.environ.get("WORK_MS", "20"))
WORK_SLOW_MS = float(os.environ.get("WORK_SLOW_MS", "1500"))
WORK_SLOW_SHARE = float(os.environ.get("WORK_SLOW_SHARE", "0.05"))
