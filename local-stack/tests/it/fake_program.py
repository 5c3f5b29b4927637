#!/usr/bin/env python3
"""Stands in for core-api, xds-server and Envoy, so that the supervisor can be tested alone.

Which one it plays is its own file name. A file `fail` in its data directory makes it die at once.
"""
import http.server
import json
import os
import pathlib
import re
import signal
import socket
import sys
import threading
import tomllib

role = pathlib.Path(sys.argv[0]).name
words = sys.argv[1:]


def option(name):
    return words[words.index(name) + 1]


def write(path, value):
    draft = pathlib.Path(f"{path}.draft")
    draft.write_text(value)
    draft.rename(path)


class Regions(http.server.BaseHTTPRequestHandler):
    """Every region that ever got a token is connected, with as many Envoys as anyone wants."""

    def do_GET(self):
        rows = [
            {"regionName": name, "regionConnected": True, "envoys": 99}
            for name in (self.server.folder / "regions").read_text().split()
        ]
        body = json.dumps({"data": rows, "pagination": {}}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def listen(address):
    host, port = address.rsplit(":", 1)
    server = http.server.ThreadingHTTPServer((host, int(port)), Regions)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def serve(settings, first, second):
    folder = pathlib.Path(settings["data_dir"])
    if (folder / "fail").exists():
        sys.exit("the reason why it died")
    servers = [listen(settings[key]) for key in (first[0], second[0])]
    for server in servers:
        server.folder = folder
    ports = [server.server_address[1] for server in servers]
    ready = {key[1]: f"http://127.0.0.1:{port}" for key, port in zip((first, second), ports)}
    write(settings["ready_file"], json.dumps(ready))
    signal.pause()


def core_api(settings):
    regions = pathlib.Path(settings["data_dir"]) / "regions"
    if "region-token" in words:
        with regions.open("a") as file:
            print(option("--region"), file=file)
        print("a-token")
        return
    if "setup-token" in words:
        print("p-token")
        return
    if not regions.exists():
        regions.touch()
        bootstrap = pathlib.Path(settings["bootstrap_file"])
        assert not bootstrap.exists()
        token = f"u-{os.urandom(4).hex()}"
        known = {"clientId": "c", "userId": "u", "userToken": token, "operatorToken": "o-1"}
        write(bootstrap, json.dumps(known))
    serve(settings, ("listen", "restUrl"), ("region_listen", "regionLinkUrl"))


def xds_server(settings):
    if "node-certificate" in words:
        return
    (pathlib.Path(settings["data_dir"]) / "region.keys").write_text("k:AAAA\n")
    assert os.environ["REQUESTROCKET_XDS_SERVER_ENROLMENT_TOKEN"] == "a-token"
    serve(settings, ("ads_listen", "adsAddress"), ("http_listen", "httpUrl"))


def envoy():
    assert os.environ["REQUESTROCKET_REGION_KEYS"] == "k:AAAA"
    text = pathlib.Path(option("-c")).read_text()
    port = int(re.search(r"listener_port: (\d+)", text)[1])
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind(("127.0.0.1", port))
    write(option("--admin-address-path"), f"127.0.0.1:{port}")
    listener.listen()
    signal.pause()


if role == "envoy":
    envoy()
else:
    settings = tomllib.loads(pathlib.Path(option("--config")).read_text())
    core_api(settings) if role == "requestrocket-core-api" else xds_server(settings)
