"""An identity provider of the tests' own: its pages over HTTP, real keys, and tokens that a test may spoil."""

import base64
import hashlib
import json
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

CLIENT, SECRET, REDIRECT = "lapwing", "secret: of/the client", "http://127.0.0.1:8650/api/oidc/return"


class FakeProvider:
    def __init__(self, now_ns) -> None:
        self.now_ns = now_ns                      # a function
        self.keys = {"RS256": RSAKey.generate_key(2048, {"kid": "r"}), "ES256": ECKey.generate_key("P-256", {"kid": "e"})}
        self.algorithm = "RS256"
        self.claims: dict = {}                    # put over the right ones; None takes one out
        self.header: dict = {}
        self.sign_with = None
        self.spoil = lambda token: token
        self.description: dict = {}
        self.status = 200
        self.raw: bytes | None = None        # what goes out in place of an answer
        self.asked: list[str] = []
        self._codes: dict[str, dict] = {}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                provider.asked.append(self.path)
                self._answer(*provider.get(self.path))

            def do_POST(self):
                provider.asked.append(self.path)
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                self._answer(*provider.exchange(dict(urllib.parse.parse_qsl(body)), self.headers.get("authorization", "")))

            def _answer(self, status, body):
                if provider.raw is not None:
                    self.wfile.write(provider.raw)
                    self.close_connection = True
                    return
                octets = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("location", "http://127.0.0.1:1/elsewhere")
                self.send_header("content-length", str(len(octets)))
                self.end_headers()
                self.wfile.write(octets)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def get(self, path):
        if path == "/.well-known/openid-configuration":
            return self.status, {"issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/authorize",
                                 "token_endpoint": f"{self.issuer}/token",
                                 "jwks_uri": f"{self.issuer}/keys"} | self.description
        if path == "/keys":
            return self.status, {"keys": [key.as_dict(private=False) for key in self.keys.values()]}
        return 404, {}

    def sign_in(self, address: str, **claims) -> dict:
        """Be the browser at the authorization page: the person agrees; return the parameters that come back."""
        asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(address).query))
        assert asked["response_type"] == "code" and asked["redirect_uri"] == REDIRECT and asked["code_challenge_method"] == "S256"
        code = f"code-{len(self._codes)}"
        self._codes[code] = {"asked": asked, "claims": {
            "sub": "42", "preferred_username": "ana.pop", "groups": ["air-watch", "staff"]} | claims}
        return {"code": code, "state": asked["state"], "iss": self.issuer}

    def exchange(self, form, authorization):
        found = self._codes.pop(form.get("code", ""), None)
        expected = base64.b64encode(":".join(urllib.parse.quote(text, safe="") for text in (CLIENT, SECRET)).encode()).decode()
        if found is None or authorization != f"Basic {expected}" or form["redirect_uri"] != REDIRECT:
            return 400, {"error": "invalid_grant"}
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        if challenge != found["asked"]["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        now_s = self.now_ns() // 1_000_000_000
        claims = {"iss": self.issuer, "aud": CLIENT, "exp": now_s + 300, "iat": now_s,
                  "nonce": found["asked"]["nonce"]} | found["claims"] | self.claims
        key = self.sign_with or self.keys[self.algorithm]
        header = {"alg": self.algorithm,
                  "kid": self.keys[self.algorithm].kid} | self.header if self.algorithm in self.keys else dict(self.header)
        token = jwt.encode(header, {k: v for k, v in claims.items() if v is not None}, key, algorithms=[header["alg"]])
        return self.status, {"access_token": "at", "token_type": "Bearer", "id_token": self.spoil(token)}
