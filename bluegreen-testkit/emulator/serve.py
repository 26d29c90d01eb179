"""Serves moto on a free loopback port, prints the port, ends with its parent.

`moto_server` cannot say which port it got when asked for port 0, and it outlives
a parent that was killed. Otherwise this is what `moto_server` does.
"""

import logging
import os
import sys
import threading


def end_with_parent() -> None:
    # The parent holds the other end of this pipe; however it dies, the pipe closes.
    sys.stdin.buffer.read()
    os._exit(0)


threading.Thread(target=end_with_parent, daemon=True).start()

from moto.moto_server.werkzeug_app import (  # noqa: E402
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server  # noqa: E402

logging.getLogger("werkzeug").setLevel(logging.ERROR)

application = DomainDispatcherApplication(create_backend_app)
application.debug = True
server = make_server(
    "127.0.0.1", 0, application, threaded=True, request_handler=MotoRequestHandler
)
# moto reads its own port from here.
os.environ["MOTO_PORT"] = str(server.port)
# The socket listens by now: who reads the port can connect.
print(server.port, flush=True)
server.serve_forever()
