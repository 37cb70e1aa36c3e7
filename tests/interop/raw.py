"""How is a request tampered with after it was signed? The SDK signs it for a listener of ours,
which keeps it; then it is sent to the local cloud, as it was or changed."""

import dataclasses
import http.client
import http.server
import threading
import urllib.parse


@dataclasses.dataclass(frozen=True)
class Request:
    """A request as it stood on the wire."""

    method: str
    target: str
    headers: tuple
    body: bytes

    def header(self, name, value):
        """The request with another value of a header; None takes the header away."""
        others = tuple((key, old) for key, old in self.headers if key.lower() != name.lower())
        return dataclasses.replace(self, headers=others if value is None else (*others, (name, value)))

    def get(self, name):
        return next(value for key, value in self.headers if key.lower() == name.lower())

    def pairs(self):
        return urllib.parse.parse_qsl(urllib.parse.urlsplit(self.target).query, keep_blank_values=True)

    def query(self, pairs):
        """The request with another query."""
        path = self.target.partition("?")[0]
        return dataclasses.replace(self, target=f"{path}?{urllib.parse.urlencode(pairs)}" if pairs else path)

    def parameter(self, name, value):
        """The request with another value of a query parameter; None takes it away."""
        others = [(key, old) for key, old in self.pairs() if key != name]
        return self.query(others if value is None else [*others, (name, value)])

    def send(self, endpoint):
        """Sends the request as it is, Host and all; answers the status and the body."""
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(endpoint).netloc, timeout=10)
        try:
            connection.putrequest(self.method, self.target, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers:
                if name.lower() not in ("content-length", "connection"):
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(self.body)))
            connection.endheaders(self.body)
            answer = connection.getresponse()
            return answer.status, answer.read().decode("utf-8", "replace")
        finally:
            connection.close()


def flip(signature):
    """A signature of the same form that is wrong in one place."""
    return ("1" if signature[0] == "0" else "0") + signature[1:]


class Listener:
    """A server on loopback that keeps what it is sent and answers an empty object."""

    def __enter__(self):
        kept = self.kept = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                kept.append(Request(self.command, self.path, tuple(self.headers.items()), body))
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            do_POST = do_PUT = do_DELETE = do_GET

            def log_message(self, *_):
                """Silence."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def take(self):
        """The request that came last."""
        return self.kept.pop()
