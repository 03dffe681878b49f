"""TLS by OpenSSL itself, for records that Python's ssl module cannot send: key updates without end."""

import contextlib
import ctypes
import ctypes.util
import socket
import threading

from .fake_leader import HEALTH, LEADER, answer

_NOT_REQUESTED = 0
_PEM = 1
_MEM_DATA = 3  # BIO_CTRL_INFO


def _library():
    name = ctypes.util.find_library("ssl") or "libssl.so.3"
    ssl = ctypes.CDLL(name)
    for function in ("TLS_client_method", "TLS_server_method", "SSL_CTX_new", "SSL_new", "BIO_new", "BIO_s_mem"):
        getattr(ssl, function).restype = ctypes.c_void_p
    ssl.BIO_ctrl.restype = ctypes.c_long
    return ssl


_SSL = _library()


def _pointer(value):
    return ctypes.c_void_p(value)


class RawTls:
    """One connection over a blocking socket. `server`: (certificate, key) makes it the server's side."""

    def __init__(self, sock, server=None):
        self.sock = sock
        sock.settimeout(None)
        method = _SSL.TLS_server_method() if server else _SSL.TLS_client_method()
        self._context = _pointer(_SSL.SSL_CTX_new(_pointer(method)))
        if server:
            cert, key = (str(path).encode() for path in server)
            assert _SSL.SSL_CTX_use_certificate_chain_file(self._context, cert) == 1
            assert _SSL.SSL_CTX_use_PrivateKey_file(self._context, key, _PEM) == 1
        self._ssl = _pointer(_SSL.SSL_new(self._context))
        _SSL.SSL_set_fd(self._ssl, sock.fileno())
        if server:
            _SSL.SSL_set_accept_state(self._ssl)
        else:
            _SSL.SSL_set_connect_state(self._ssl)
        if _SSL.SSL_do_handshake(self._ssl) != 1:
            raise OSError("the TLS handshake failed")

    def write(self, data):
        if _SSL.SSL_write(self._ssl, data, len(data)) <= 0:
            raise OSError("cannot write")

    def read(self, most=1 << 14):
        buffer = ctypes.create_string_buffer(most)
        count = _SSL.SSL_read(self._ssl, buffer, most)
        if count <= 0:
            raise OSError("the connection has ended")
        return buffer.raw[:count]

    def prepare_key_updates(self, count):
        """Their bytes, not sent yet. Nothing can be written by write() afterwards."""
        memory = _pointer(_SSL.BIO_new(_pointer(_SSL.BIO_s_mem())))
        _SSL.SSL_set0_wbio(self._ssl, memory)
        for _ in range(count):
            _SSL.SSL_key_update(self._ssl, _NOT_REQUESTED)
            _SSL.SSL_do_handshake(self._ssl)
        data = ctypes.c_void_p()
        size = _SSL.BIO_ctrl(memory, _MEM_DATA, ctypes.c_long(0), ctypes.byref(data))
        return ctypes.string_at(data, size)

    def close(self):
        self.sock.close()


def key_update_flood(address, count):
    """A client's connection to host:port and the bytes of that many key updates, ready to be sent."""
    host, port = address.rsplit(":", 1)
    peer = RawTls(socket.create_connection((host, int(port)), timeout=60))
    return peer, peer.prepare_key_updates(count)


class LyingNode:
    """An active node whose first answers are in order, and whose next one is a flood of key updates."""

    def __init__(self, pair, updates, answers_before=2):
        self._pair, self._updates, self._before = pair, updates, answers_before
        self.floods = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        with contextlib.suppress(OSError), sock:
            peer = RawTls(sock, self._pair)
            for _ in range(self._before):
                asked = peer.read()
                peer.write(answer(LEADER if b"/sys/leader" in asked else HEALTH))
            flood = peer.prepare_key_updates(self._updates)
            self.floods += 1
            sock.sendall(flood)

    def close(self):
        self._listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
