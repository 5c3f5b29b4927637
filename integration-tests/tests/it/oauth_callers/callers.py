"""Callers as others write them: each library gets a token of an issuer and calls with it.

Reads {"issuer", "url"} from the first argument; prints the statuses of calls with a scope that is
enough and with one that is not, by library.
"""

import json
import os
import sys

# The issuer of the test speaks plain HTTP.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

from authlib.integrations.httpx_client import OAuth2Client
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from oauthlib.oauth2 import BackendApplicationClient
from requests_oauthlib import OAuth2Session as OauthlibSession

KNOWN = json.loads(sys.argv[1])
TOKENS = KNOWN["issuer"] + "/token"
ID, SECRET = "caller", "caller-secret"


def requests_oauthlib(scope):
    client = BackendApplicationClient(client_id=ID, scope=[scope])
    with OauthlibSession(client=client) as session:
        session.trust_env = False
        session.fetch_token(TOKENS, client_id=ID, client_secret=SECRET)
        return session.get(KNOWN["url"], timeout=30).status_code


def authlib_requests(scope):
    with AuthlibSession(ID, SECRET, scope=scope) as session:
        session.trust_env = False
        session.fetch_token(TOKENS, grant_type="client_credentials")
        return session.get(KNOWN["url"], timeout=30).status_code


def authlib_httpx(scope):
    with OAuth2Client(ID, SECRET, scope=scope, trust_env=False) as client:
        client.fetch_token(TOKENS, grant_type="client_credentials")
        return client.get(KNOWN["url"], timeout=30).status_code


callers = [requests_oauthlib, authlib_requests, authlib_httpx]
print(json.dumps({call.__name__: [call("read"), call("write")] for call in callers}))
