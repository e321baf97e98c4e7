# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Histograms in HdrHistogram's V2 encoding, as text in base64; we write it compressed, with values in µs.

Counts are kept to the last one. Smallest, largest and sum have no place in that form: read back, they are those of the
buckets. Source: hdrhistogram.org, ``AbstractHistogram.encodeIntoCompressedByteBuffer`` and ``ZigZagEncoding``.
"""

from __future__ import annotations

import base64
import binascii
import struct
import zlib
from typing import Iterator

from ..._core.errors import InputError
from .histogram import Histogram

#: What every encoded histogram begins with: the cookie in base64.
PREFIX = "HISTF"

_COOKIE, _COMPRESSED_COOKIE = 0x1C849313, 0x1C849314
_HEADER = struct.Struct("!iiiiqqd")  # cookie, length, normalizing offset, digits, lowest, highest, ratio
_HOUR_US = 3_600_000_000
_LARGEST = 1 << 24  # bytes; a histogram with 5 digits over the whole range is smaller


def encode(histogram: Histogram) -> str:
    """Return the text of a histogram."""
    counts = bytearray()
    expected = 0
    for bucket in sorted(histogram.counts):
        if histogram.counts[bucket]:
            if bucket > expected:
                counts += _zigzag(expected - bucket)
            counts += _zigzag(histogram.counts[bucket])
            expected = bucket + 1
    highest = max(_HOUR_US, histogram.max_us or 0)
    data = zlib.compress(_HEADER.pack(_COOKIE, len(counts), 0, 2, 1, highest, 1.0) + counts)
    return base64.b64encode(struct.pack("!ii", _COMPRESSED_COOKIE, len(data)) + data).decode()


def decode(text: str, unit_us: float = 1.0) -> Histogram:
    """Return the histogram of a text, also of one with other digits than two: its buckets are put into ours.

    :arg unit_us: how long a value of 1 is, in µs.
    :raises InputError: when the text is not a V2 histogram of whole numbers, compressed or not.
    """
    try:
        plain = _decompressed(base64.b64decode(text, validate=True))
        cookie, length, offset, digits, lowest, _highest, ratio = _HEADER.unpack_from(plain)
        if cookie != _COOKIE or length != len(plain) - _HEADER.size or offset or ratio != 1.0:
            raise ValueError("not a plain V2 histogram of whole numbers")
        if not 1 <= digits <= 5 or lowest < 1:
            raise ValueError("impossible digits or unit")
        half_bits, unit_bits = (2 * 10 ** digits - 1).bit_length() - 1, lowest.bit_length() - 1
        return _read(plain[_HEADER.size:], half_bits, unit_bits, unit_us)
    except (ValueError, binascii.Error, struct.error, zlib.error) as error:
        raise InputError("histogram", text[:24], f"HdrHistogram's V2 encoding in base64 ({error})",
                         "HISTFAAAABx4nJNpmSzMgABMUJoRRFybvITB/gNEAABQwQSG") from error


def _decompressed(data: bytes) -> bytes:
    cookie, length = struct.unpack_from("!ii", data)
    if cookie != _COMPRESSED_COOKIE:
        return data
    if length != len(data) - 8:
        raise ValueError("not as long as it says")
    return zlib.decompressobj().decompress(data[8:], _LARGEST)


def _read(counts: bytes, half_bits: int, unit_bits: int, unit_us: float) -> Histogram:
    """Read counts; ``2 ** half_bits`` buckets per power of two, values in units of ``2 ** unit_bits``."""
    histogram = Histogram()
    index = 0
    for number in _numbers(counts):
        if number <= 0:
            index -= number
            continue
        shift = max(0, (index >> half_bits) - 1)
        if shift > 64:
            raise ValueError("a value beyond 64 bits")
        low = (index - (shift << half_bits)) << (shift + unit_bits)
        middle = low + ((1 << (shift + unit_bits)) >> 1)
        histogram.record_many(round(middle * unit_us), number)
        index += 1
    return histogram


def _zigzag(number: int) -> bytes:
    """Return a signed number as ZigZag LEB128 with at most 9 bytes."""
    rest = (number << 1) ^ (number >> 63)
    out = bytearray()
    while rest > 0x7F and len(out) < 8:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


def _numbers(data: bytes) -> Iterator[int]:
    """Yield signed numbers; the ninth byte of one has all its eight bits."""
    at = 0
    while at < len(data):
        value = shift = 0
        while True:
            if at == len(data):
                raise ValueError("cut off in a number")
            byte = data[at]
            at += 1
            if shift == 56:
                value |= byte << shift
                break
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        yield (value >> 1) ^ -(value & 1)
