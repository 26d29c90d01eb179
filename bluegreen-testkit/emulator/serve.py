"""Serves a moto of its own to each of those who connect, until they hang up.

To import moto takes longer than most of what is done with it, so that is done
once, and every caller gets a fork: an empty account on a free loopback port,
which is told in a line. It ends when the caller hangs up, however the caller
dies; all of this ends when standard input closes. Otherwise a fork does what
`moto_server` does.
"""

import logging
import os
import select
import signal
import socket
import sys
import threading

from moto.core import DEFAULT_ACCOUNT_ID
from moto.ec2.models import ec2_backends
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server


def end_with(caller) -> None:
    caller.recv(1)
    os._exit(0)


def serve(caller) -> None:
    threading.Thread(target=end_with, args=(caller,), daemon=True).start()
    application = DomainDispatcherApplication(create_backend_app)
    application.debug = True
    server = make_server(
        "127.0.0.1", 0, application, threaded=True, request_handler=MotoRequestHandler
    )
    os.environ["MOTO_PORT"] = str(server.port)
    caller.sendall(f"{server.port}\n".encode())
    server.serve_forever()


logging.getLogger("werkzeug").setLevel(logging.ERROR)
# The first call of EC2 makes a VPC with its subnets; every fork has one already.
ec2_backends[DEFAULT_ACCOUNT_ID]["us-east-1"]
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
door = socket.create_server(("127.0.0.1", 0))
print(door.getsockname()[1], flush=True)
while True:
    ready, _, _ = select.select([door, sys.stdin], [], [])
    if sys.stdin in ready:
        os._exit(0)
    caller, _ = door.accept()
    if os.fork() == 0:
        door.close()
        serve(caller)
    caller.close()
