"""Certificates made at start: a private authority and one certificate for localhost.

The app trusts the authority through a PEM bundle on disk; nothing is installed on the machine.
"""

import ssl
from pathlib import Path

import trustme


class Certificates:
    """A certificate authority of its own, and the contexts for servers and clients that trust it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        authority = trustme.CA()
        self.bundle = folder / "sandbox-ca.pem"
        authority.cert_pem.write_to_path(str(self.bundle))
        self._server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost", "127.0.0.1").configure_cert(self._server)
        self._client = ssl.create_default_context(cafile=str(self.bundle))

    def server_context(self) -> ssl.SSLContext:
        """For a server on localhost."""
        return self._server

    def client_context(self) -> ssl.SSLContext:
        """For a client that trusts this authority only."""
        return self._client

    def environment(self) -> dict[str, str]:
        """What a process needs in order to trust it: OpenSSL's variable and the one of requests."""
        return {"SSL_CERT_FILE": str(self.bundle), "REQUESTS_CA_BUNDLE": str(self.bundle)}
