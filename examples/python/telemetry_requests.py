#!/usr/bin/python3
"""requests, with a key in a token: posts telemetry and prints the answer.

usage: telemetry_requests.py KEY-URI CA-FILE URL
"""
import sys

import requests

import hsmtls

key, ca, url = sys.argv[1:]


class IdentityAdapter(requests.adapters.HTTPAdapter):
    def init_poolmanager(self, *args, **kwargs):
        super().init_poolmanager(*args, ssl_context=hsmtls.Identity.open(key).ssl_context(cafile=ca), **kwargs)


with requests.Session() as session:
    session.mount("https://", IdentityAdapter())
    session.verify = ca  # requests adds it to the context; True would add the roots of the Web
    response = session.post(url, json={"temperature": 21.5})
    print(response.status_code, response.text)
