# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import re
import struct

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError
from ansible_collections.evenkeel.fleet.plugins.module_utils._wire import postgres as wire
from hypothesis import given
from hypothesis import strategies as st


def message(kind, body):
    return kind.encode() + struct.pack("!I", len(body) + 4) + body


def authentication(method, data=b""):
    return struct.pack("!I", method) + data


MESSAGES = st.lists(st.tuples(st.sampled_from("RSTDCEZNK"), st.binary(max_size=40)), max_size=8)


@given(MESSAGES, st.lists(st.integers(1, 20), min_size=1, max_size=30))
def test_messages_are_the_same_however_the_bytes_are_cut(messages, cuts):
    stream = b"".join(message(kind, body) for kind, body in messages)
    reader, found, turn = wire.Reader(), [], 0
    while stream:
        size = cuts[turn % len(cuts)]
        reader.feed(stream[:size])
        found += list(reader)
        stream, turn = stream[size:], turn + 1
    assert found == messages


@given(st.binary(max_size=200))
def test_any_bytes_are_a_body_or_a_protocol_error(data):
    for parse in (wire.column_names, wire.row_values, wire.error_fields):
        with contextlib.suppress(wire.ProtocolError):
            parse(data)


@given(st.binary(max_size=200))
def test_any_bytes_are_messages_or_a_protocol_error(data):
    reader = wire.Reader()
    reader.feed(data)
    with contextlib.suppress(wire.ProtocolError):
        assert all(len(message.body) < len(data) for message in reader)


def test_a_web_server_is_told_apart_at_once():
    reader = wire.Reader()
    reader.feed(b"HTTP/1.1 400 Bad Request\r\n")
    with pytest.raises(wire.ProtocolError, match="port is that of a PostgreSQL server"):
        list(reader)


@given(st.lists(st.one_of(st.none(), st.text(max_size=20)), max_size=10))
def test_row_values_are_what_the_server_wrote(values):
    body = struct.pack("!H", len(values))
    for value in values:
        data = b"" if value is None else value.encode()
        body += struct.pack("!i", -1 if value is None else len(data)) + data
    assert wire.row_values(body) == values


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12), max_size=6))
def test_column_names_are_what_the_server_wrote(names):
    body = struct.pack("!H", len(names)) + b"".join(name.encode() + b"\0" + bytes(18) for name in names)
    assert wire.column_names(body) == names


def test_a_row_that_is_cut_short_is_refused():
    with pytest.raises(wire.ProtocolError):
        wire.row_values(struct.pack("!Hi", 1, 50) + b"short")


def test_startup_carries_protocol_user_and_database():
    data = wire.startup("pitch", "shop", application_name="probe")
    length, protocol = struct.unpack_from("!II", data)
    assert (length, protocol) == (len(data), 196608)
    fields = data[8:].split(b"\0")
    assert dict(zip(fields[::2], fields[1::2])) == {
        b"user": b"pitch", b"database": b"shop", b"client_encoding": b"UTF8", b"application_name": b"probe", b"": b"",
    }  # fmt: skip


def test_a_zero_byte_cannot_smuggle_a_second_field():
    with pytest.raises(FleetError, match="zero byte"):
        wire.startup("pitch\0database\0other", "shop")


def test_error_fields_prefer_the_untranslated_severity():
    fields = wire.error_fields(b"SFATALE\0VFATAL\0C28P01\0Mno\0Xignored\0\0")
    assert fields == {"severity": "FATAL", "code": "28P01", "message": "no"}


class Server:
    """The server's side of SCRAM-SHA-256, written after RFC 5802 and apart from the client's."""

    def __init__(self, password, salt=b"0123456789abcdef", iterations=64):
        self.salt, self.iterations = salt, iterations
        self.salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)

    def hmac(self, key, text):
        return hmac.new(key, text.encode(), hashlib.sha256).digest()

    def challenge(self, first, suffix="server"):
        self.bare = first.decode()[3:]
        nonce = re.search(r"r=(.*)", self.bare).group(1) + suffix
        self.first = f"r={nonce},s={base64.b64encode(self.salt).decode()},i={self.iterations}"
        return self.first.encode()

    def outcome(self, final):
        without_proof, dummy, proof = final.decode().rpartition(",p=")
        exchange = f"{self.bare},{self.first},{without_proof}"
        client_key = self.hmac(self.salted, "Client Key")
        signature = self.hmac(hashlib.sha256(client_key).digest(), exchange)
        sent = bytes(a ^ b for a, b in zip(base64.b64decode(proof), signature))
        if sent != client_key:
            return None
        return b"v=" + base64.b64encode(self.hmac(self.hmac(self.salted, "Server Key"), exchange))


ASCII = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=30)


@given(ASCII, ASCII, st.binary(min_size=1, max_size=30))
def test_scram_lets_in_who_knows_the_password_and_nobody_else(password, other, salt):
    server, client = Server(password, salt), wire.Scram(other)
    outcome = server.outcome(client.final(server.challenge(client.first())))
    assert (outcome is not None) == (password == other)
    if outcome:
        client.verify(outcome)


def test_scram_refuses_a_server_that_does_not_know_the_password():
    client = wire.Scram("secret")
    client.final(Server("secret").challenge(client.first()))
    with pytest.raises(wire.ProtocolError, match="own proof"):
        client.verify(b"v=" + base64.b64encode(bytes(32)))


@pytest.mark.parametrize(
    "challenge",
    [b"", b"r=other,s=AAAA,i=4096", b"r=NONCEx,s=AAAA,i=0", b"r=NONCEx,s=AAAA,i=99999999", b"r=NONCEx,s=AAA,i=1"],
)
def test_scram_refuses_a_challenge_that_is_not_for_this_session(challenge):
    with pytest.raises(wire.ProtocolError):
        wire.Scram("secret", nonce=lambda: "NONCE").final(challenge)


def test_a_server_cannot_skip_its_proof():
    login = wire.Login("pitch", "secret", secure=False)
    login.answer(authentication(10, b"SCRAM-SHA-256\0\0"))
    with pytest.raises(wire.ProtocolError, match="own proof"):
        login.answer(authentication(0))


@pytest.mark.parametrize(
    ("text", "prepared"),
    [("I\u00adX", "IX"), ("user", "user"), ("USER", "USER"), ("\u00aa", "a"), ("\u2168", "IX"), ("a\u00a0b", "a b"),
     ("\u0007", "\u0007"), ("\u0627\u0031", "\u0627\u0031")],
)  # fmt: skip
def test_saslprep_follows_the_examples_of_rfc_4013_and_keeps_what_it_prohibits(text, prepared):
    assert wire.saslprep(text) == prepared


def test_clear_text_is_only_for_who_cannot_be_overheard():
    with pytest.raises(FleetError, match="without TLS"):
        wire.Login("pitch", "secret", secure=False).answer(authentication(3))
    shown = message("p", b"secret\0")
    assert wire.Login("pitch", "secret", secure=True).answer(authentication(3)) == shown
    assert wire.Login("pitch", "secret", secure=False, allow_cleartext=True).answer(authentication(3)) == shown


def test_md5_answer_is_the_documented_formula():
    salt = b"\1\2\3\4"
    inner = hashlib.md5(b"secretpitch").hexdigest()
    expected = "md5" + hashlib.md5(inner.encode() + salt).hexdigest()
    login = wire.Login("pitch", "secret", secure=False)
    assert login.answer(authentication(5, salt)) == message("p", expected.encode() + b"\0")


def test_a_missing_password_and_an_unknown_method_are_said_plainly():
    with pytest.raises(FleetError, match="password for user 'pitch', none is given"):
        wire.Login("pitch", None, secure=True).answer(authentication(3))
    with pytest.raises(FleetError, match=r"method 7, .* scram-sha-256"):
        wire.Login("pitch", "secret", secure=True).answer(authentication(7))
