# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a load is spread over processes and hosts, checked against what this host can do."""

from __future__ import annotations

import re
import resource

from .._core.errors import InputError
from .run import Load
from .shapes.base import Shape

#: Descriptors that are kept for other things than connections.
_SPARE_DESCRIPTORS = 64


def parse_load(shape: Shape, timeout_s: float, deadline_s: float | None, processes: int, share: str = "1/1",
               start_at: float = 0.0) -> Load:
    """Check the numbers; raise this process' limit of open files when it has to be.

    :arg share: this host's place among those that share the load, from 1, and their number.
    :raises InputError: when one is out of range, or two contradict.
    """
    for name, number, least, example in (("timeout_s", timeout_s, 0.001, "10"), ("processes", processes, 1, "2")):
        if not number >= least:
            raise InputError(name, number, f"{least} or more", example)
    connections, whole = shape.connections, shape.sending_s
    place, count = _share(share)
    if count > 1 and shape.decides:
        raise InputError("share", share, "one host with the executor capacity, whose trials decide what comes next",
                         "1/1")
    workers = processes * count
    if connections < workers:
        raise InputError("vus", connections, f"at least one for each of the {workers} processes", str(max(10, workers)))
    needed = connections // workers + _SPARE_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and needed > hard:
        raise InputError("vus", connections, f"no more than {(hard - _SPARE_DESCRIPTORS) * workers}, for which this "
                         f"host's limit of open files ({hard}) is enough", "more processes, or a higher LimitNOFILE")
    if soft != resource.RLIM_INFINITY and needed > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    if deadline_s is not None and deadline_s < whole:
        raise InputError("deadline_s", deadline_s, f"at least {whole:g}, for as long as something is sent",
                         f"{whole + 30:g}")
    return Load(processes, deadline_s or whole + shape.batch_number * 2 * timeout_s + 5, (place, count), start_at)


def _share(text: str) -> tuple[int, int]:
    """Return place, from 0, and number of the hosts."""
    match = re.fullmatch(r"\s*(\d+)\s*/\s*(\d+)\s*", str(text))
    place, count = map(int, match.groups()) if match else (0, 0)
    if not 1 <= place <= count:
        raise InputError("share", text, "this host's place, from 1, and the number of hosts", "2/4")
    return place - 1, count
