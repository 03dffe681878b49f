"""The frames of a WebSocket (RFC 6455 section 5), as far as an echo needs them."""

import base64
import hashlib
import os
import struct

TEXT, BINARY, CLOSE = 1, 2, 8
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def accept_of(key):
    return base64.b64encode(hashlib.sha1(key + _GUID).digest())


def new_key():
    return base64.b64encode(os.urandom(16))


def _masked(data, mask):
    repeated = (mask * (len(data) // 4 + 1))[:len(data)]
    return (int.from_bytes(data, "big") ^ int.from_bytes(repeated, "big")).to_bytes(len(data), "big") if data else b""


def frame(kind, data, is_masked):
    """Clients mask, servers do not."""
    bit = 0x80 if is_masked else 0
    head = bytes([0x80 | kind])
    if len(data) < 126:
        head += bytes([bit | len(data)])
    elif len(data) < 1 << 16:
        head += struct.pack("!BH", bit | 126, len(data))
    else:
        head += struct.pack("!BQ", bit | 127, len(data))
    if not is_masked:
        return head + data
    mask = os.urandom(4)
    return head + mask + _masked(data, mask)


def read_frame(conn):
    """(kind, data, was masked) off a house.http_node.Conn."""
    first, second = conn.take(2)
    size = second & 0x7F
    if size == 126:
        size = struct.unpack("!H", conn.take(2))[0]
    elif size == 127:
        size = struct.unpack("!Q", conn.take(8))[0]
    mask = conn.take(4) if second & 0x80 else None
    data = conn.take(size)
    return first & 0x0F, _masked(data, mask) if mask else data, mask is not None
