"""Whether what leaves this process goes through a proxy."""

from urllib.request import getproxies_environment


def is_proxied() -> bool:
    """Whether the environment names a proxy (HTTPS_PROXY and its like).

    Only then is aiohttp told to trust the environment: it would look for a netrc file at every request, in another thread.
    """
    return any(scheme != "no" for scheme in getproxies_environment())
