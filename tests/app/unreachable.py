"""Addresses of this machine where connections are refused."""

import socket


def nobody_listens() -> str:
    """An origin."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def unreachable_store() -> str:
    """A connection string of Table Storage."""
    account = "DefaultEndpointsProtocol=http;AccountName=elsewhere;AccountKey=c2VjcmV0"
    return f"{account};TableEndpoint={nobody_listens()}/elsewhere;"
