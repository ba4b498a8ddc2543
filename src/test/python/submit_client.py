"""Runs a command line of spark-submit in the process that listens at a port: submit_client.py PORT ARGUMENTS..."""

import json
import socket
import sys

with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as server:
    server.sendall(json.dumps(sys.argv[2:]).encode() + b"\n")
    ending = json.load(server.makefile(encoding="utf-8"))

sys.stdout.write(ending["out"])
sys.stderr.write(ending["err"])
sys.exit(ending["code"])
