"""What schemathesis cannot know of the Core API from its document: which records exist, what fits
the formats, and which refusals no schema can announce (waivers.json).
"""

import itertools
import json
import os
import pathlib
import time

import requests
import schemathesis
from hypothesis import strategies

STACK = json.loads(pathlib.Path(os.environ["CONTRACT_STACK"]).read_text())
WAIVERS = json.loads(pathlib.Path(__file__).with_name("waivers.json").read_text())
REGION = STACK["regions"][0]["name"]
NUMBERS = itertools.count(1)
PASSWORD = "seven grey herons on a wire"

session = requests.Session()
session.trust_env = False
session.headers["Authorization"] = STACK["userToken"]


def create(path, body, sweep=None):
    answer = session.post(STACK["coreApi"] + path, json=body, timeout=30)
    if answer.status_code == 409 and sweep:
        sweep()
        answer = session.post(STACK["coreApi"] + path, json=body, timeout=30)
    if answer.status_code != 201:
        raise RuntimeError(f"POST {path}: {answer.status_code} {answer.text}")
    return answer.json()


def sweep(path, id, kept):
    """Deletes what the run has made so far of a kind of which there may be a hundred only."""
    while True:
        page = session.get(STACK["coreApi"] + path, params={"limit": 100}, timeout=30).json()["data"]
        spare = [record[id] for record in page if record[id] not in kept]
        if not spare:
            return
        for each in spare:
            session.delete(f"{STACK['coreApi']}{path}/{each}", params={"force": "true"}, timeout=30)


def name(what):
    return f"{what} {next(NUMBERS)}"


class Records:
    """One of each kind, and as many more as are deleted."""

    def __init__(self):
        self.known = {}
        self.user = session.get(STACK["coreApi"] + "/users/me", timeout=30).json()["userId"]
        self.organisation = STACK["clientId"]
        self.set_up()
        self.spare = self.new_organisation()
        self.caller = self.new_credential("proxy")
        self.target_credential = self.new_credential("target")
        self.target = self.new_target()
        self.proxy = self.new_proxy()
        self.guest = self.new_guest()
        self.member = self.new_guest()["userId"]
        self.known = {
            "clientId": self.organisation,
            "credentialId": self.caller,
            "targetId": self.target,
            "proxyId": self.proxy,
            "userId": self.member,
            "tokenId": self.new_token(),
            "inviteId": self.new_invite()["inviteId"],
            "sessionId": self.new_session(),
            "webhookId": self.new_webhook(),
            # No call was made.
            "requestId": "00000000-0000-4000-8000-000000000000",
        }
        for kind, id in (("credentials", self.caller), ("targets", self.target), ("proxies", self.proxy)):
            self.known[kind, "ruleId"] = self.new_rule(kind, id)
            self.known[kind, "filterId"] = self.new_filter(kind, id)
        self.known["proxies", "meterId"] = self.new_meter()
        # By who is told: that guests came, and a session of a browser that did not set up the password.
        self.told = {
            owner: session.get(STACK["coreApi"] + path, timeout=30).json()["data"][0]["notificationId"]
            for owner, path in (
                ("clients", f"/clients/{self.organisation}/notifications"),
                ("users", "/users/me/notifications"),
            )
        }
        said = {"title": "Maintenance", "message": "Soon."}
        headers = {"Authorization": STACK["operatorToken"]}
        answer = requests.post(STACK["coreApi"] + "/notifications/system", json=said, headers=headers, timeout=30)
        self.told["notifications"] = answer.json()["notificationId"]

    def new_organisation(self):
        body = {"clientName": name("organisation")}
        kept = {self.organisation, getattr(self, "spare", None)}
        return create("/clients", body, lambda: sweep("/clients", "clientId", kept))["clientId"]

    def new_credential(self, side):
        secret = {"credentialAuthType": "bearer", "credentialSecret": {"token": name("token").replace(" ", "-")}}
        body = {"credentialName": name(side), "credentialType": side, "credentialRegion": REGION} | secret
        return create(f"/clients/{self.organisation}/credentials", body)["credentialId"]

    def new_target(self):
        body = {"targetName": name("target"), "targetBaseURL": "http://127.0.0.1:9/v1", "targetRegion": REGION}
        return create(f"/clients/{self.organisation}/targets", body)["targetId"]

    def new_proxy(self):
        body = {
            "proxyName": name("proxy"),
            "proxyRegion": REGION,
            "proxyProxyCredentialIds": [self.caller],
            "proxyTargetId": self.target,
            "proxyTargetCredentialId": self.target_credential,
        }
        return create(f"/clients/{self.organisation}/proxies", body)["proxyId"]

    def new_rule(self, kind, id):
        path = f"/clients/{self.organisation}/{kind}/{id}/rules"
        return create(path, {"effect": "allow"}, self.sweep(path, "ruleId", kind))["ruleId"]

    def new_filter(self, kind, id):
        body = {"operation": "destroy", "paths": ["$.secret"]}
        path = f"/clients/{self.organisation}/{kind}/{id}/filters"
        return create(path, body, self.sweep(path, "filterId", kind))["filterId"]

    def new_meter(self):
        body = {"meterName": name("meter"), "meterType": "request_count", "limits": {"minute": 5}}
        path = f"/clients/{self.organisation}/proxies/{self.proxy}/meters"
        return create(path, body, self.sweep(path, "meterId", "proxies"))["meterId"]

    def sweep(self, path, id, kind):
        return lambda: sweep(path, id, {self.known.get((kind, id))})

    def new_invite(self):
        email = f"guest-{next(NUMBERS)}@example.com"
        path = f"/clients/{self.organisation}/invites"
        kept = {self.known.get("inviteId")}
        return create(path, {"email": email, "roles": ["user"]}, lambda: sweep(path, "inviteId", kept))

    def new_webhook(self):
        """Nobody listens there."""
        path = f"/clients/{self.organisation}/webhooks"
        kept = {self.known.get("webhookId")}
        return create(path, {"url": "http://127.0.0.1:9/"}, lambda: sweep(path, "webhookId", kept))["webhookId"]

    def new_token(self):
        mine = session.get(STACK["coreApi"] + "/users/me/tokens", params={"search": "First token"}, timeout=30).json()
        kept = {token["tokenId"] for token in mine["data"]} | {self.known.get("tokenId")}
        path = "/users/me/tokens"
        return create(path, {"tokenName": name("token")}, lambda: sweep(path, "tokenId", kept))["tokenId"]

    def set_up(self):
        """The owner gets a password, by which nobody is signed in yet."""
        body = {"token": STACK["setupToken"], "email": f"owner-{next(NUMBERS)}@example.com", "password": PASSWORD}
        headers = {"User-Agent": "another browser"}
        answer = requests.post(STACK["coreApi"] + "/session/setup", json=body, headers=headers, timeout=30)
        if answer.status_code != 204:
            raise RuntimeError(f"POST /session/setup: {answer.status_code} {answer.text}")

    def new_session(self):
        """One of the owner's; while the run has failed too often to sign in, one that has ended."""
        email = session.get(STACK["coreApi"] + "/users/me", timeout=30).json()["email"]
        body = {"email": email, "password": PASSWORD}
        requests.post(STACK["coreApi"] + "/session", json=body, timeout=30)
        mine = session.get(STACK["coreApi"] + "/users/me/sessions", timeout=30).json()["data"]
        return mine[0]["sessionId"] if mine else self.known["sessionId"]

    def new_guest(self):
        """A user of its own, who joins by an invite; nobody is signed in for that."""
        body = {"inviteToken": self.new_invite()["inviteToken"], "firstName": "A", "lastName": "Guest"}
        return requests.post(STACK["coreApi"] + "/invites/accept", json=body, timeout=30).json()

    def new_member(self):
        """The guest who left comes back."""
        body, headers = {"inviteToken": self.new_invite()["inviteToken"]}, {"Authorization": self.guest["token"]}
        requests.post(STACK["coreApi"] + "/invites/accept", json=body, headers=headers, timeout=30)
        return self.guest["userId"]

    def of(self, path):
        """The path parameters of an operation."""
        kind = path.split("/")[3] if path.count("/") >= 3 else ""
        own = {what: id for what, id in self.known.items() if isinstance(what, str)}
        own |= {what[1]: id for what, id in self.known.items() if what[0] == kind}
        own["notificationId"] = self.told.get(path.split("/")[1])
        # What an organisation may do as a whole is changed where nobody else lives.
        if path in ("/clients/{clientId}", "/clients/{clientId}/configuration"):
            own["clientId"] = self.spare
        return own

    def fresh(self, path):
        """The same for what ends a record: of one that nobody else needs."""
        own = self.of(path)
        last = path.rsplit("{", 1)[-1].rstrip("}")
        kind, id = path.split("/")[3] if path.count("/") >= 3 else "", own.get("proxyId")
        if kind == "credentials":
            id = own["credentialId"]
        elif kind == "targets":
            id = own["targetId"]
        makers = {
            "clientId": self.new_organisation,
            "credentialId": lambda: self.new_credential("proxy"),
            "targetId": self.new_target,
            "proxyId": self.new_proxy,
            "userId": self.new_member,
            "tokenId": self.new_token,
            "inviteId": lambda: self.new_invite()["inviteId"],
            "sessionId": self.new_session,
            "webhookId": self.new_webhook,
            "ruleId": lambda: self.new_rule(kind, id),
            "filterId": lambda: self.new_filter(kind, id),
            "meterId": self.new_meter,
        }
        # What cannot be ended is only asked for.
        return own | {last: makers[last]()} if last in makers else own


records = Records()


@schemathesis.hook
def before_call(context, case, kwargs):
    """Asks for records that exist, wherever the id is not what is being tried."""
    if case.meta is None or case.meta.phase.name.value == "stateful":
        return
    path = case.operation.path
    if case.path_parameters and is_valid(case, "path"):
        known = records.fresh(path) if case.method == "DELETE" and path.endswith("}") else records.of(path)
        # Of providers the stack has none.
        for parameter in case.path_parameters.keys() & known.keys():
            case.path_parameters[parameter] = known[parameter]
    if isinstance(case.body, dict) and is_valid(case, "body"):
        refer(path, case.body)
    if path.endswith("/requests") and case.query and is_valid(case, "query"):
        refer_records(case.query)
    if path.endswith(("/audit", "/activity")) and case.query and is_valid(case, "query"):
        # No page was read whose cursor could be repeated.
        case.query.pop("cursor", None)
    if path.endswith(("/telemetry", "/clients/{clientId}/usage")) and case.query and is_valid(case, "query"):
        refer_telemetry(case.query)


def refer_records(query):
    """The region is one that there is, and no page was read whose cursor could be repeated."""
    if query.get("region"):
        query["region"] = REGION
    query.pop("cursor", None)


def refer_telemetry(query):
    """The region is one that there is, and the time is the last hour, of which every interval is kept."""
    if query.get("region"):
        query["region"] = REGION
    now = int(time.time() * 1000)
    for name, moment in (("from", now - 3600000), ("to", now)):
        if query.get(name) is not None:
            query[name] = str(moment)


def is_valid(case, location):
    for place, component in case.meta.components.items():
        if place.value == location:
            return component.mode.is_positive
    return True


def refer(path, body):
    """Ids in a body are those of records that it may name."""
    known = {
        "proxyTargetId": records.target,
        "proxyTargetCredentialId": records.target_credential,
        "proxyProxyCredentialId": records.caller,
        "proxyProxyCredentialIds": [records.caller],
        "credentialId": records.caller,
    }
    for member, id in known.items():
        if body.get(member):
            body[member] = id
    for member in ("targetRegion", "proxyRegion", "credentialRegion"):
        if body.get(member):
            body[member] = REGION
    if path == "/users/me/tokens" and body.get("expiresAt"):
        body["expiresAt"] = "2999-01-01T00:00:00Z"
    for holder in (body, body.get("configuration")):
        if isinstance(holder, dict) and holder.get("regions"):
            holder["regions"] = [REGION]
    if path == "/users/me/password":
        # What is easy to guess no schema says, and the tool's own texts are.
        body |= {name: PASSWORD for name in ("current", "new") if name in body}
    if path == "/invites/accept" and body.get("password"):
        body["password"] = PASSWORD
    if path.endswith("/rehearse"):
        refer_telemetry(body)
    if path == "/invites/accept" and "inviteToken" in body:
        body["inviteToken"] = records.new_invite()["inviteToken"]


def is_meant(waiver, detail):
    return detail["field"].startswith(waiver.get("field", "")) and waiver.get("problem", "") in detail["problem"]


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Drops what waivers.json accepts, each with its reason."""
    label = case.operation.label
    try:
        answer = response.json()
    except ValueError:
        answer = {}
    answer = answer if isinstance(answer, dict) else {}
    details = answer.get("details") or []
    # What is answered again was judged when it came first: of queries the key says nothing.
    if response.headers.get("idempotent-replayed") and type(failure).__name__ == "AcceptedNegativeData":
        return False
    for waiver in WAIVERS:
        if (
            type(failure).__name__ in waiver["failures"]
            and label in waiver.get("operations", [label])
            and answer.get("code") in waiver.get("codes", [answer.get("code")])
            and waiver.get("message", "") in failure.message
            and waiver.get("error", "") in answer.get("error", "")
            and ("codes" not in waiver or not details or any(is_meant(waiver, detail) for detail in details))
        ):
            return False
    return True


schemathesis.openapi.format(
    "linear-regex", strategies.sampled_from(["^/v1(/|$)", "a+b?", "(?i)x-.*", "[0-9]{1,3}", "café", "\\d+"])
)
schemathesis.openapi.format(
    "json-path", strategies.sampled_from(["$", "$.a", "$..b", "$['c d'][0]", "$.items[*].id", "$[?@.x > 1]"])
)
schemathesis.openapi.format(
    "http-base-url", strategies.sampled_from(["http://127.0.0.1:9", "HTTPS://api.example.com/v1", "http://a.b:8080/"])
)
schemathesis.openapi.format(
    "endpoint-url", strategies.sampled_from(["https://login.example.com/token", "http://127.0.0.1:9/a?b=c"])
)
schemathesis.openapi.format(
    "issuer-url", strategies.sampled_from(["https://login.example.com", "http://127.0.0.1:9/tenant/"])
)
schemathesis.openapi.format(
    "host-pattern", strategies.sampled_from(["api.example.com", "*.example.com", "127.0.0.1", "[::1]"])
)
schemathesis.openapi.format("slug", strategies.uuids().map(lambda id: f"slug-{id}"))
schemathesis.openapi.format(
    "web-origin", strategies.sampled_from(["https://app.example.com", "https://*.example.com", "http://localhost:3000"])
)
schemathesis.openapi.format("header-or-any", strategies.sampled_from(["x-a", "Authorization"]))
schemathesis.openapi.format("sample-path", strategies.sampled_from(["/", "/v1/a%20b", "/a/b/"]))
schemathesis.openapi.format("entity-tags", strategies.sampled_from(["*", '"r1"', 'W/"a", "b"']))
