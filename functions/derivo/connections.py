"""The HTTP session under the SDK, its connections kept from call to call."""

from __future__ import annotations

import requests
from requests.adapters import HTTPAdapter


def session(url: str, most: int) -> requests.Session:
    """Up to `most` connections a host, with the proxy and the certificates that the environment names for `url`.

    They are looked up here, once. By itself requests goes through the whole environment twice in every call, which is
    a sixth of what a call costs this side.
    """
    made = requests.Session()
    found = made.merge_environment_settings(url, {}, None, None, None)
    made.proxies, made.verify, made.trust_env = found["proxies"], found["verify"], False
    adapter = HTTPAdapter(pool_maxsize=most)
    for scheme in ("http://", "https://"):
        made.mount(scheme, adapter)
    return made
