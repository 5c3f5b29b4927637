"""Verifies what a target received as its owner would: AWS's with botocore, tokens with Authlib.

Reads a JSON object from the first argument; prints what is wrong, or nothing.
"""

import base64
import hashlib
import hmac
import json
import sys


def aws(seen):
    from botocore.auth import S3SigV4Auth, SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    body = base64.b64decode(seen["body"])
    headers = {}
    for name, value in seen["headers"]:
        name = name.lower()
        headers[name] = headers[name] + "," + value if name in headers else value
    authorization = headers["authorization"]
    signed = authorization.split("SignedHeaders=")[1].split(",")[0].split(";")
    must = [name for name in headers if name.startswith("x-amz-")] + ["host"]
    if missing := [name for name in must if name not in signed]:
        return f"not signed: {missing}"
    told = headers.get("x-amz-content-sha256")
    if told and told not in ("UNSIGNED-PAYLOAD", hashlib.sha256(body).hexdigest()):
        return "another body was signed"
    if (told == "UNSIGNED-PAYLOAD") != seen["unsigned"]:
        return f"{told} instead of what the credential says"
    secret = Credentials(seen["id"], seen["key"], seen["token"])
    kind = S3SigV4Auth if seen["service"] == "s3" else SigV4Auth
    auth = kind(secret, seen["service"], seen["region"])
    request = AWSRequest(
        method=seen["method"],
        url=f"http://{headers['host']}{seen['path']}",
        data=body,
        headers={name: headers[name] for name in signed},
    )
    request.context["timestamp"] = headers["x-amz-date"]
    canonical = auth.canonical_request(request)
    text = auth.string_to_sign(request, canonical)
    want = auth.signature(text, request)
    if f"Signature={want}" not in authorization:
        return f"botocore signs\n{canonical}\nas {want}, not {authorization}"
    if seen["token"] and headers.get("x-amz-security-token") != seen["token"]:
        return "the session's token is missing"
    return ""


def mac(seen):
    headers = {name.lower(): value for name, value in seen["headers"]}
    digest = hashlib.sha256(base64.b64decode(seen["body"])).hexdigest()
    path, _, query = seen["path"].partition("?")
    time = headers["x-time"]
    parts = [seen["method"], path, query, time, headers["content-type"], headers["host"], digest]
    want = hmac.new(seen["key"].encode(), "\n".join(parts).encode(), seen["hash"]).digest()
    want = "v1=" + base64.b64encode(want).decode()
    return "" if hmac.compare_digest(want, headers["x-signature"]) else f"{want} was wanted"


def keys(_):
    from authlib.jose import ECKey, OctKey, OKPKey, RSAKey
    from cryptography.hazmat.primitives import serialization

    def pem(key, form):
        private = key.get_private_key()
        return private.private_bytes(
            serialization.Encoding.PEM, form, serialization.NoEncryption()
        ).decode()

    modern = serialization.PrivateFormat.PKCS8
    older = serialization.PrivateFormat.TraditionalOpenSSL
    made = {}
    for algorithm, key, form in [
        ("RS256", RSAKey.generate_key(2048, is_private=True), modern),
        ("RS512", RSAKey.generate_key(2048, is_private=True), older),
        ("PS256", RSAKey.generate_key(2048, is_private=True), older),
        ("PS512", RSAKey.generate_key(2048, is_private=True), modern),
        ("ES256", ECKey.generate_key("P-256", is_private=True), modern),
        ("ES384", ECKey.generate_key("P-384", is_private=True), older),
        ("ES512", ECKey.generate_key("P-521", is_private=True), modern),
        ("EdDSA", OKPKey.generate_key("Ed25519", is_private=True), modern),
    ]:
        made[algorithm] = {"private": pem(key, form), "public": key.as_dict(is_private=False)}
    return json.dumps(made)


def token(seen):
    from authlib.jose import JsonWebKey, JsonWebToken

    if isinstance(seen["public"], str):
        key = seen["public"].encode()
    else:
        key = JsonWebKey.import_key(seen["public"])
    claims = JsonWebToken([seen["algorithm"]]).decode(
        seen["token"],
        key,
        claims_options={
            "iss": {"essential": True, "value": "requestrocket"},
            "aud": {"essential": True, "value": "target"},
            "jti": {"essential": True},
            "exp": {"essential": True},
        },
    )
    claims.validate(leeway=5)
    if claims["exp"] - claims["iat"] != 600:
        return f"another life: {claims}"
    return "" if claims.header.get("kid") == "k-1" else f"another key: {claims.header}"


what, argument = sys.argv[1], json.loads(sys.argv[2])
print({"aws": aws, "mac": mac, "keys": keys, "token": token}[what](argument), end="")
