# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real Prometheus that scrapes the exporter of a real HAProxy, both throw-away, on free ports of the loopback."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.evenkeel.fleet.tests.integration.balancer.conftest import balancer  # noqa: F401
from ansible_collections.evenkeel.fleet.tests.integration.balancer.harness import Balancer, free_port

CONFIGURATION = """
global: {{scrape_interval: 500ms, scrape_timeout: 400ms}}
scrape_configs:
  - job_name: haproxy
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


@pytest.fixture
def prometheus(balancer: Balancer, tmp_path: Path) -> Iterator[str]:  # noqa: F811
    """Where Prometheus answers; it has scraped the balancer at least once."""
    configuration, port = tmp_path / "prometheus.yml", free_port()
    configuration.write_text(CONFIGURATION.format(port=balancer.metrics_port), encoding="utf-8")
    process = subprocess.Popen(
        ["prometheus", f"--config.file={configuration}", f"--storage.tsdb.path={tmp_path}/tsdb",
         f"--web.listen-address=127.0.0.1:{port}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()
