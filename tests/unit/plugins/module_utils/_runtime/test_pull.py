# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the engine's events add up to."""

from __future__ import annotations

import json

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._runtime.engine import EngineError
from ansible_collections.evenkeel.fleet.plugins.module_utils._runtime.pull import Progress, events, pull
from hypothesis import given
from hypothesis import strategies as st

DIGEST = "sha256:5db522e4ba52193e3451caac22263ce41bee621be974049a37b050543b6cec5f"

#: As Docker Engine 20.10 sends them, without the bars; one layer is here, one is lost and fetched again.
RECORDED = b"""\
{"status":"Pulling from app","id":"v1"}
{"status":"Already exists","progressDetail":{},"id":"6c110f32f8a3"}
{"status":"Pulling fs layer","progressDetail":{},"id":"de9d0b1d871e"}
{"status":"Pulling fs layer","progressDetail":{},"id":"9b6f5acbf9b9"}
{"status":"Waiting","progressDetail":{},"id":"9b6f5acbf9b9"}
{"status":"Downloading","progressDetail":{"current":220354,"total":1500676},"id":"de9d0b1d871e"}
{"status":"Retrying in 5 seconds","progressDetail":{},"id":"de9d0b1d871e"}
{"status":"Downloading","progressDetail":{"current":32768,"total":1500676},"id":"de9d0b1d871e"}
{"status":"Verifying Checksum","progressDetail":{},"id":"de9d0b1d871e"}
{"status":"Download complete","progressDetail":{},"id":"de9d0b1d871e"}
{"status":"Extracting","progressDetail":{"current":32768,"total":1500676},"id":"de9d0b1d871e"}
{"status":"Pull complete","progressDetail":{},"id":"de9d0b1d871e"}
{"status":"Downloading","progressDetail":{"current":36707,"total":36707},"id":"9b6f5acbf9b9"}
{"status":"Pull complete","progressDetail":{},"id":"9b6f5acbf9b9"}
{"status":"Digest: sha256:5db522e4ba52193e3451caac22263ce41bee621be974049a37b050543b6cec5f"}
{"status":"Status: Downloaded newer image for 127.0.0.1:40483/app:v1"}
""".replace(b"\n", b"\r\n").splitlines(keepends=True)

COUNTS = ("layers_done", "layers_all", "bytes_done", "bytes_all")
NUMBERS = st.one_of(st.integers(-5, 2_000_000), st.none(), st.text(max_size=3), st.floats(), st.booleans())
EVENTS = st.fixed_dictionaries({}, optional={
    "status": st.one_of(st.none(), st.sampled_from([
        "Pulling from app", "Pulling fs layer", "Waiting", "Downloading", "Verifying Checksum", "Download complete",
        "Extracting", "Pull complete", "Already exists", "Retrying in 5 seconds", f"Digest: {DIGEST}"])),
    "id": st.one_of(st.sampled_from(["a", "b", "c"]), st.none(), st.lists(st.none())),
    "progressDetail": st.one_of(st.none(), st.fixed_dictionaries({}, optional={"current": NUMBERS, "total": NUMBERS})),
})


def counts(progress):
    status = progress.status()
    return [status[name] for name in COUNTS]


def test_a_recorded_pull():
    progress, seen = Progress(), []
    for event in events(RECORDED):
        progress.take(event)
        seen.append(counts(progress))
    assert seen[0] == [0, 0, 0, 0]
    assert seen[5] == seen[6] == seen[7] == [1, 3, 220354, 1500676]
    assert seen[-1] == [3, 3, 1500676 + 36707, 1500676 + 36707]
    assert (progress.layers_pulled, progress.bytes_done, progress.digest) == (2, 1537383, DIGEST)


@given(st.lists(EVENTS, max_size=40))
def test_nothing_ever_goes_back(stream):
    progress, before = Progress(), [0, 0, 0, 0]
    for event in events(json.dumps(one).encode() for one in stream):
        progress.take(event)
        now = counts(progress)
        assert all(earlier <= later for earlier, later in zip(before, now))
        assert now[0] <= now[1]
        assert now[2] <= now[3]
        assert progress.layers_pulled <= now[0]
        before = now


@given(st.integers(0, 15), st.integers(0, 40))
def test_a_stream_that_ends_early_has_no_digest(whole, rest):
    progress = Progress()
    for event in events([*RECORDED[:whole], RECORDED[whole][:rest]]):
        progress.take(event)
    assert progress.digest == (DIGEST if whole > 14 else "")


@pytest.mark.parametrize("line", [b"[1]\n", b"null\n", b"3\n", b"\xff\n", b"\r\n", b'{"status": "Pull', b"[" * 100_000])
def test_what_is_no_event_is_none(line):
    assert list(events([line])) == []


def test_an_error_event_ends_the_stream():
    stream = events([RECORDED[0], b'{"errorDetail":{"message":"unexpected EOF"},"error":"unexpected EOF"}'])
    assert next(stream)["id"] == "v1"
    with pytest.raises(EngineError, match="unexpected EOF"):
        next(stream)


@pytest.mark.parametrize(("options", "message"), [
    ({"image": "shop"}, "image: expected an image with a tag or a digest, found 'shop'"),
    ({"image": "shop:v1", "stall_s": 0}, "stall_s: expected seconds above 0, found 0"),
])
def test_bad_input(options, message):
    with pytest.raises(InputError, match=message):
        pull(**options)
