"""Signing keys: the one that Entra publishes, and a stranger's for forged tokens. Made once per process."""

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from functools import cache

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and the id under which its public half is known."""

    kid: str
    private: RSAPrivateKey

    def public_wire(self) -> dict[str, object]:
        """As an entry of the key endpoint."""
        numbers = self.private.public_key().public_numbers()
        return {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.kid,
            "n": _encoded(numbers.n),
            "e": _encoded(numbers.e),
        }


@cache
def published_key() -> SigningKey:
    """Entra's own."""
    return SigningKey("sandbox-entra", generate_private_key(public_exponent=65537, key_size=2048))


@cache
def strange_key() -> SigningKey:
    """Nobody publishes it."""
    return SigningKey("sandbox-stranger", generate_private_key(public_exponent=65537, key_size=2048))


def _encoded(number: int) -> str:
    return urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8)).rstrip(b"=").decode()
