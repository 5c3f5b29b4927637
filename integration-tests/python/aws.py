"""AWS as a target: moto, which verifies the signature of every call.

Writes what it knows to the file of the first argument, as JSON: its port, and credentials of a user
and of a session, both of which may do everything.
"""

import json
import os
import sys
import threading

# Of every call: none is let in unsigned.
os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "0"

from moto.core import DEFAULT_ACCOUNT_ID
from moto.iam.models import iam_backends
from moto.server import ThreadedMotoServer
from moto.sts.models import sts_backends

EVERYTHING = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)
ANYBODY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
    }
)
REGION = "eu-west-1"

iam = iam_backends[DEFAULT_ACCOUNT_ID]["aws"]
iam.create_user(region_name=REGION, user_name="gateway")
iam.put_user_policy("gateway", "everything", EVERYTHING)
key = iam.create_access_key("gateway")
role = iam.create_role("gateway", ANYBODY, "/", None, "", [], 3600)
iam.put_role_policy("gateway", "everything", EVERYTHING)
session = sts_backends[DEFAULT_ACCOUNT_ID]["aws"].assume_role(
    region_name=REGION, role_session_name="s", role_arn=role.arn, policy=None, duration=3600,
    external_id=None,
)

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
known = {
    "port": server.get_host_and_port()[1],
    "user": {"accessKeyId": key.access_key_id, "secretAccessKey": key.secret_access_key},
    "session": {
        "accessKeyId": session.access_key_id,
        "secretAccessKey": session.secret_access_key,
        "sessionToken": session.session_token,
    },
}
path = sys.argv[1]
with open(path + ".new", "w") as file:
    json.dump(known, file)
os.rename(path + ".new", path)
threading.Event().wait()
