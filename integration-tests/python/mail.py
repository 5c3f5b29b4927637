"""A mail server: aiosmtpd, which takes letters over TLS from who shows name and password.

Arguments: a file to write the port to, a file that every letter is added to as a line of JSON, and a
PEM file with a certificate and its key. Letters to `refused@...` are refused for good, and of those
to `later@...` the first is put off.
"""

import json
import os
import ssl
import sys
from email import message_from_bytes, policy

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

port_file, letters, pem = sys.argv[1:]
put_off = set()


class Box:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refused@"):
            return "550 5.1.1 nobody has this address"
        if address.startswith("later@") and address not in put_off:
            put_off.add(address)
            return "451 4.7.1 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        letter = message_from_bytes(envelope.content, policy=policy.default)
        told = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "headers": {name: str(value) for name, value in letter.items()},
            "body": letter.get_content(),
            "tls": session.ssl is not None,
        }
        with open(letters, "a", encoding="utf-8") as file:
            file.write(json.dumps(told) + "\n")
        return "250 OK"


def known(server, session, envelope, mechanism, data):
    pair = (data.login, data.password)
    return AuthResult(success=pair == (b"gateway", b"correct horse"))


class AnyPort(Controller):
    """aiosmtpd asks itself at the port that it was told, and any port is no port."""

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(pem)
controller = AnyPort(
    Box(),
    hostname="127.0.0.1",
    port=0,
    require_starttls=True,
    tls_context=context,
    auth_required=True,
    authenticator=known,
)
controller.start()
with open(port_file + ".part", "w", encoding="utf-8") as file:
    json.dump({"port": controller.port}, file)
os.rename(port_file + ".part", port_file)
sys.stdin.read()
