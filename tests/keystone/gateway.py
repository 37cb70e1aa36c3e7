"""An API that a Keystone token opens, as OTC's API Gateway is one.

Each request's X-Auth-Token is put to Keystone, which alone decides whether it
is still good; nothing is cached, so a revoked or expired token is refused at
once. A refusal has the shape of API Gateway's errors. An accepted POST is
answered like the creation of an AppCode, anything else like an empty list of
them; X-Token-Audit-Id names the token that opened it without being a secret.

Usage: gateway.py KEYSTONE_V3_URL PORTFILE
"""

import json
import os
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEYSTONE, PORTFILE = sys.argv[1:]
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def look_up(token):
    """What Keystone says of a token: its description, or None."""
    # A token may always ask about itself.
    headers = {"X-Auth-Token": token, "X-Subject-Token": token}
    request = urllib.request.Request(KEYSTONE + "/auth/tokens?nocatalog", headers=headers)
    try:
        with OPENER.open(request, timeout=30) as answer:
            return json.load(answer)["token"]
    except urllib.error.HTTPError as refusal:
        if refusal.code in (401, 404):
            return None
        raise


class Gateway(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body, headers=()):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("X-Request-Id", os.urandom(16).hex())
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def handle_call(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        token = self.headers.get("X-Auth-Token")
        known = look_up(token) if token else None
        if known is None:
            code = "APIG.1002" if token else "APIG.1001"
            text = "Incorrect token or token resolution failed" if token else "Authentication failed"
            self.answer(401, {"error_code": code, "error_msg": text})
            return
        segments = self.path.split("?")[0].split("/")
        if known.get("project", {}).get("id") not in segments:
            self.answer(403, {"error_code": "APIG.1005", "error_msg": "No permissions to request this method"})
            return
        audit = [("X-Token-Audit-Id", known["audit_ids"][0])]
        if self.command == "POST":
            code = json.loads(body or b"{}").get("app_code", "")
            made = {"app_code": code, "id": os.urandom(16).hex(), "app_id": segments[-2],
                    "create_time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
            self.answer(201, made, audit)
        else:
            self.answer(200, {"total": 0, "size": 0, "app_codes": []}, audit)

    do_GET = do_POST = do_PUT = do_DELETE = handle_call


def end_with(parent):
    """Ends this process when its parent was killed without cleaning up."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)


threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()
server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
with open(PORTFILE + ".new", "w") as file:
    file.write(str(server.server_address[1]))
os.rename(PORTFILE + ".new", PORTFILE)
server.serve_forever()
