"""Serves Keystone on a loopback port of the system's choice.

Usage: serve.py PORTFILE, with OS_KEYSTONE_CONFIG_FILES set. The port is
written to PORTFILE once connections are accepted.
"""

import os
import sys
import threading
import time

PORTFILE = sys.argv.pop()  # Keystone reads the arguments too, and knows no such one.

import waitress  # noqa: E402
from keystone.wsgi.api import application  # noqa: E402


def end_with(parent):
    """Ends this process when its parent was killed without cleaning up."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)


threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()
server = waitress.create_server(application, host="127.0.0.1", port=0, threads=4)
with open(PORTFILE + ".new", "w") as file:
    file.write(str(server.effective_port))
os.rename(PORTFILE + ".new", PORTFILE)
server.run()
