"""What is ambiguous is refused and no node hears of it; any token is a method. Raw bytes through the built program."""

import pytest

from house.http_site import HttpSite

HOST = b"Host: v\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
SMUGGLED = b"GET /v1/smuggled HTTP/1.1\r\nHost: v\r\n\r\n"


def put(headers, host=HOST):
    return b"PUT /v1/x HTTP/1.1\r\n" + host + headers + b"\r\n"


def chunks(body):
    return put(CHUNKED) + body


# (what, bytes, reason in the metric, status). The first rows are those that other parsers take.
REFUSED = [
    ("bare LF line ends", b"GET /v1/x HTTP/1.1\nHost: v\n\n", "bare_line_end", 400),
    ("one bare LF", b"GET /v1/x HTTP/1.1\r\nHost: v\nX: y\r\n\r\n", "bare_line_end", 400),
    ("bare CR before a header", put(b"X: \rTransfer-Encoding: chunked\r\n"), "bare_line_end", 400),
    ("two empty lines before a request", b"\r\n\r\nGET /v1/x HTTP/1.1\r\nHost: v\r\n\r\n", "bare_line_end", 400),
    ("empty line of a bare LF", b"\nGET /v1/x HTTP/1.1\r\nHost: v\r\n\r\n", "bare_line_end", 400),
    ("folded line", put(b"X: a\r\n b\r\n"), "folding", 400),
    ("folded line, tab", put(b"X: a\r\n\tb\r\n"), "folding", 400),
    ("space before colon", put(b"Transfer-Encoding : chunked\r\n"), "header_name", 400),
    ("TE then CL", put(CHUNKED + b"Content-Length: 3\r\n"), "length_conflict", 400),
    ("CL then TE", put(b"Content-Length: 3\r\n" + CHUNKED), "length_conflict", 400),
    ("two CLs that differ", put(b"Content-Length: 3\r\nContent-Length: 4\r\n"), "content_length", 400),
    ("CL list that differs", put(b"Content-Length: 3, 4\r\n"), "content_length", 400),
    ("CL +3", put(b"Content-Length: +3\r\n") + b"abc", "content_length", 400),
    ("CL -1", put(b"Content-Length: -1\r\n"), "content_length", 400),
    ("CL 0x3", put(b"Content-Length: 0x3\r\n") + b"abc", "content_length", 400),
    ("CL empty", put(b"Content-Length: \r\n"), "content_length", 400),
    ("CL 2^63", put(b"Content-Length: 9223372036854775808\r\n"), "content_length", 400),
    ("TE chunked, identity", put(b"Transfer-Encoding: chunked, identity\r\n"), "transfer_encoding", 400),
    ("TE identity", put(b"Transfer-Encoding: identity\r\n"), "transfer_encoding", 400),
    ("TE xchunked", put(b"Transfer-Encoding: xchunked\r\n"), "transfer_encoding", 400),
    ("TE gzip, chunked", put(b"Transfer-Encoding: gzip, chunked\r\n"), "transfer_encoding", 400),
    ("TE chunked twice", put(CHUNKED + CHUNKED), "transfer_encoding", 400),
    ("TE vertical tab", put(b"Transfer-Encoding: \x0bchunked\r\n"), "control_character", 400),
    ("TE on HTTP/1.0", b"PUT /v1/x HTTP/1.0\r\nHost: v\r\n" + CHUNKED + b"\r\n0\r\n\r\n", "transfer_encoding", 400),
    ("chunk data without CRLF", chunks(b"5\r\nhello0\r\n\r\n"), "chunk", 400),
    ("chunk data with more than it says", chunks(b"3\r\nhello\r\n0\r\n\r\n"), "chunk", 400),
    ("chunk size and a space", chunks(b"1 \r\na\r\n0\r\n\r\n"), "chunk", 400),
    ("chunk size, a space and no extension", chunks(b"1 a\r\na\r\n0\r\n\r\n"), "chunk", 400),
    ("chunk size 0x1", chunks(b"0x1\r\na\r\n0\r\n\r\n"), "chunk", 400),
    ("chunk size empty", chunks(b"\r\na\r\n0\r\n\r\n"), "chunk", 400),
    ("chunk size -1", chunks(b"-1\r\na\r\n0\r\n\r\n"), "chunk", 400),
    ("chunk size of 17 digits", chunks(b"00000000000000001\r\na\r\n0\r\n\r\n"), "chunk", 400),
    ("chunk size 2^63", chunks(b"8000000000000000\r\na\r\n0\r\n\r\n"), "chunk", 400),
    ("chunk line with bare CR", chunks(b"1;a\rb\r\na\r\n0\r\n\r\n"), "chunk", 400),
    ("chunk extension too long", chunks(b"1;" + b"a" * 2000 + b"\r\na\r\n0\r\n\r\n"), "chunk", 400),
    ("trailer folded", chunks(b"0\r\nA: b\r\n c\r\n\r\n"), "trailer", 400),
    ("trailer without colon", chunks(b"0\r\nabc\r\n\r\n"), "trailer", 400),
    ("trailers too long", chunks(b"0\r\nA: " + b"b" * 9000 + b"\r\n\r\n"), "trailer", 400),
    ("NUL in a value", put(b"X: a\0b\r\n"), "control_character", 400),
    ("NUL in a name", put(b"X\0: a\r\n"), "control_character", 400),
    ("DEL in a value", put(b"X: a\x7fb\r\n"), "control_character", 400),
    ("empty name", put(b": a\r\n"), "header_name", 400),
    ("name that is no token", put(b"X(: a\r\n"), "header_name", 400),
    ("no Host", put(b"", host=b""), "host", 400),
    ("two Hosts", put(b"Host: v\r\n"), "host", 400),
    ("two Hosts that differ", put(b"Host: w\r\n"), "host", 400),
    ("Host empty", put(b"", host=b"Host: \r\n"), "host", 400),
    ("Host with a path", put(b"", host=b"Host: v/x\r\n"), "host", 400),
    ("Host with a user", put(b"", host=b"Host: u@v\r\n"), "host", 400),
    ("Host with a space", put(b"", host=b"Host: v w\r\n"), "host", 400),
    ("Host with a bad port", put(b"", host=b"Host: v:82x\r\n"), "host", 400),
    ("Host is a list", put(b"", host=b"Host: v, w/\r\n"), "host", 400),
    ("target of another authority", b"GET http://w/v1/x HTTP/1.1\r\nHost: v\r\n\r\n", "host", 400),
    ("two spaces", b"GET  /v1/x HTTP/1.1\r\nHost: v\r\n\r\n", "request_line", 400),
    ("space behind the version", b"GET /v1/x HTTP/1.1 \r\nHost: v\r\n\r\n", "request_line", 400),
    ("no version", b"GET /v1/x\r\nHost: v\r\n\r\n", "request_line", 400),
    ("tab as a separator", b"GET\t/v1/x HTTP/1.1\r\nHost: v\r\n\r\n", "method", 400),
    ("a fragment", b"GET /v1/x#y HTTP/1.1\r\nHost: v\r\n\r\n", "target", 400),
    ("CONNECT", b"CONNECT v:1 HTTP/1.1\r\nHost: v:1\r\n\r\n", "target", 400),
    ("target without a slash", b"GET v1/x HTTP/1.1\r\nHost: v\r\n\r\n", "target", 400),
    ("method of 33 bytes", b"M" * 33 + b" /v1/x HTTP/1.1\r\nHost: v\r\n\r\n", "method", 400),
    ("method that is no token", b"G(T /v1/x HTTP/1.1\r\nHost: v\r\n\r\n", "method", 400),
    ("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "control_character", 400),
    ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "version", 505),
    ("HTTP/0.9", b"GET /v1/x HTTP/0.9\r\nHost: v\r\n\r\n", "version", 505),
    ("http/1.1", b"GET /v1/x http/1.1\r\nHost: v\r\n\r\n", "version", 505),
    ("101 headers", put(b"X: y\r\n" * 100), "too_many_headers", 431),
    ("a head over 32 KiB", put(b"X: " + b"y" * 33000 + b"\r\n"), "head_too_large", 431),
    ("an unknown expectation", put(b"Expect: tea\r\n"), "expect", 417),
]

HEAD = (b"PUT /v1/x?q HTTP/1.1\r\nHost: vault:8200\r\nX-Vault-Token: t\r\nConnection: keep-alive\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n")
# No position in these lines belongs to a body.
CHUNK_LINES = [b"1;ext=x\r\n", b"0\r\n", b"A: b\r\n", b"\r\n"]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with HttpSite(tmp_path_factory.mktemp("strict")) as made:
        yield made


@pytest.fixture(autouse=True)
def forget(site):
    site.whole.clear()
    site.node.seen.clear()


@pytest.mark.parametrize("data,reason,status", [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_is_ambiguous_is_refused_with_its_reason_and_reaches_no_node(site, data, reason, status):
    before = site.rejected()
    got, _ = site.ask(data + SMUGGLED)
    assert got.startswith(b"HTTP/1.1 %d " % status), got
    assert got.count(b"HTTP/1.1 ") == 1, "one answer, and the connection is closed"
    assert b'{"errors":["Bellwether: ' in got
    after = site.rejected()
    assert {key: after[key] - before[key] for key in after if after[key] != before[key]} == {reason: 1}
    assert site.whole == []
    # A body's framing is seen after its head has gone out: the node never sees the end of it.
    assert reason in ("chunk", "trailer") or not site.node.seen


@pytest.mark.parametrize("byte", [b"\0", b"\n"], ids=["NUL", "LF"])
@pytest.mark.parametrize("replaces", [False, True], ids=["inserted", "replaced"])
def test_no_position_of_a_head_may_hold_it(site, byte, replaces):
    sent = 0
    before = site.rejected()
    for at in range(len(HEAD)):
        data = HEAD[:at] + byte + HEAD[at + replaces:]
        if data == HEAD:
            continue
        sent += 1
        got, _ = site.ask(data + b"0\r\n\r\n" + SMUGGLED)
        # Where the version should stand, it is a wrong version.
        assert got.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 505 ")), (data, got)
        assert got.count(b"HTTP/1.1 ") == 1, data
        assert site.whole == [], data
    assert sum(site.rejected().values()) - sum(before.values()) == sent


@pytest.mark.parametrize("byte", [b"\0", b"\n"], ids=["NUL", "LF"])
@pytest.mark.parametrize("replaces", [False, True], ids=["inserted", "replaced"])
def test_no_position_of_a_chunk_line_may_hold_it(site, byte, replaces):
    for number, line in enumerate(CHUNK_LINES):
        before, behind = CHUNK_LINES[:number], CHUNK_LINES[number + 1:]
        (before if before else behind).insert(1 if before else 0, b"a\r\n")
        for at in range(len(line)):
            broken = line[:at] + byte + line[at + replaces:]
            is_behind_the_end = not behind and broken.startswith(line)
            if broken == line or is_behind_the_end:
                continue
            got, _ = site.ask(HEAD + b"".join([*before, broken, *behind]) + SMUGGLED)
            assert got.startswith(b"HTTP/1.1 400 "), (broken, got)
            assert got.count(b"HTTP/1.1 ") == 1, broken
            assert site.whole == [], broken


@pytest.mark.parametrize("method", ["GET", "LIST", "SCAN", "PATCH", "HELP", "DELETE", "PROPFIND", "x!#$%&'*+-.^_`|~9",
                                    "M" * 32])
def test_any_token_is_a_method(site, method):
    line = f"{method} /v1/a%2Fb//c/?x=%20 HTTP/1.1"
    with site.dial() as conn:
        conn.send(line.encode() + b"\r\nHost: v\r\n\r\n")
        assert conn.head().startswith(b"HTTP/1.1 200 ")
    assert site.whole == [line]


def test_an_empty_line_before_a_request_is_skipped(site):
    with site.dial() as conn:
        for line in ["PUT /v1/a HTTP/1.1", "GET /v1/b HTTP/1.1"]:
            # What some clients put behind a body, alone and before the next request.
            conn.send(b"\r\n" + line.encode() + b"\r\nHost: v\r\nContent-Length: 2\r\n\r\nok")
            assert conn.head().startswith(b"HTTP/1.1 200 ")
            assert conn.take(2) == b"ok"
    assert site.whole == ["PUT /v1/a HTTP/1.1", "GET /v1/b HTTP/1.1"]


@pytest.mark.parametrize("extension", [b" ;a", b"\t;a", b"; a", b" ; a = b", b"\t;\ta\t=\tb ; c"])
def test_white_space_around_a_chunk_extension_is_no_part_of_the_body(site, extension):
    got, _ = site.ask(put(CHUNKED + b"Connection: close\r\n") + b"5" + extension + b"\r\nhello\r\n0" + extension + b"\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 200 "), got
    assert got.endswith(b"hello"), got
    assert site.whole == ["PUT /v1/x HTTP/1.1"]
