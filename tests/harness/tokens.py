"""Keys made at run time, and the tokens they sign: good ones and every kind of bad one."""

import base64
import hashlib
import hmac
import json
import time

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa


def public_pem(private_key):
    return private_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def internal_token(key, audience="messaging", ttl=60, prefix="parley1", **more):
    """What one role shows another; `key` as INTERNAL_KEY has it."""
    payload = {"aud": audience, "exp": int(time.time()) + ttl} | more
    text = f"{prefix}.{base64url(json.dumps({k: v for k, v in payload.items() if v is not ...}).encode())}"
    return f"{text}.{base64url(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest())}"


class Issuer:
    """Signs tokens with an ES256 key of its own; knows an RS256 key too, which the server also trusts."""

    def __init__(self):
        self.ec_key = ec.generate_private_key(ec.SECP256R1())
        self.rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @property
    def public_keys(self):
        return public_pem(self.ec_key) + public_pem(self.rsa_key)

    @staticmethod
    def claims(tenant, user, roles=None, name=None, ttl=3600, **more):
        claims = {"sub": user, "tenant_id": tenant, "exp": int(time.time()) + ttl}
        if roles is not None:
            claims["roles"] = roles
        if name is not None:
            claims["name"] = name
        claims.update(more)
        return {key: value for key, value in claims.items() if value is not ...}

    def token(self, tenant, user, roles=None, name=None, ttl=3600, algorithm="ES256", **more):
        """A claim given as `...` is left out."""
        key = self.ec_key if algorithm.startswith("ES") else self.rsa_key
        return jwt.encode(self.claims(tenant, user, roles, name, ttl, **more), key, algorithm=algorithm)

    def bad_tokens(self, tenant, user):
        """(what is wrong with it, the token) for each kind of token that must be refused with 401."""
        good = self.token(tenant, user)
        head, body, signature = good.split(".")
        claims = self.claims(tenant, user)
        stranger = ec.generate_private_key(ec.SECP256R1())
        public = self.public_keys.encode()

        def unsigned(algorithm):
            header = base64url(json.dumps({"alg": algorithm, "typ": "JWT"}).encode())
            return f"{header}.{base64url(json.dumps(claims).encode())}."

        def hmac_with(secret):
            header = base64url(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
            text = f"{header}.{base64url(json.dumps(claims).encode())}"
            return f"{text}.{base64url(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"

        forged = base64url(json.dumps({**claims, "sub": "somebody-else"}).encode())
        yield "expired", self.token(tenant, user, ttl=-3600)
        yield "signed by a stranger", jwt.encode(claims, stranger, algorithm="ES256")
        yield "alg none", unsigned("none")
        yield "alg None", unsigned("None")
        yield "alg none with the signature of a good one", unsigned("none") + signature
        yield "HS256 with all public keys", hmac_with(public)
        yield "HS256 with the EC public key", hmac_with(public_pem(self.ec_key).encode())
        yield "HS256 with the EC public key, trimmed", hmac_with(public_pem(self.ec_key).strip().encode())
        yield "HS256 with the RSA public key", hmac_with(public_pem(self.rsa_key).encode())
        yield "claims changed after signing", f"{head}.{forged}.{signature}"
        yield "signature cut off", f"{head}.{body}."
        yield "signature of another token", f"{head}.{body}.{self.token(tenant, 'x').split('.')[2]}"
        yield "two parts", f"{head}.{body}"
        yield "four parts", f"{good}.{signature}"
        yield "no JSON", "a.b.c"
        yield "not valid yet", self.token(tenant, user, nbf=int(time.time()) + 3600)
        yield "without sub", self.token(tenant, user, sub=...)
        yield "without tenant_id", self.token(tenant, user, tenant_id=...)
        yield "without exp", self.token(tenant, user, exp=...)
        yield "with an empty tenant", self.token("", user)
        yield "exp as text", self.token(tenant, user, exp="never")
