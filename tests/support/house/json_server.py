"""HTTP servers that plugins of a node call, with every call counted: RabbitMQ's management API and Kubernetes'
TokenReview."""

import base64
import collections
import http.server
import json
import threading

TOKEN_REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def _answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, said = self.server.owner.answer(self.command, self.path, body)
        payload = b"" if said is None else json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    do_GET = do_PUT = do_POST = do_DELETE = _answer


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class JsonServer:
    """Heirs have answer(method, path, body) -> (status, JSON value or None)."""

    def __init__(self):
        self.calls = collections.Counter()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.owner = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class RabbitmqServer(JsonServer):
    """`calls` counts (method, user)."""

    def answer(self, method, path, _body):
        if path.startswith("/api/users/"):
            self.calls[method, path.rsplit("/", 1)[1]] += 1
        return 204, None


def service_account_jwt(name):
    """A token as Kubernetes issues it, but for the signature, which is left to TokenReview."""
    claims = {"iss": "kubernetes/serviceaccount", "sub": f"system:serviceaccount:default:{name}",
              "kubernetes.io/serviceaccount/namespace": "default", "kubernetes.io/serviceaccount/service-account.name": name,
              "kubernetes.io/serviceaccount/service-account.uid": f"uid-{name}",
              "kubernetes.io/serviceaccount/secret.name": f"{name}-token"}
    parts = [json.dumps({"alg": "RS256", "typ": "JWT"}).encode(), json.dumps(claims).encode(), b"unsigned"]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


class TokenReviewServer(JsonServer):
    """`calls` counts the reviews of each service account."""

    def answer(self, _method, path, body):
        if path != TOKEN_REVIEWS:
            return 404, {}
        claims = json.loads(body)["spec"]["token"].split(".")[1]
        account = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["sub"]
        name = account.rsplit(":", 1)[1]
        self.calls[name] += 1
        return 201, {"kind": "TokenReview", "apiVersion": "authentication.k8s.io/v1", "status": {
            "authenticated": True, "user": {"username": account, "uid": f"uid-{name}"}}}
