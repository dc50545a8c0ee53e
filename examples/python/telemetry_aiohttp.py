#!/usr/bin/python3
"""aiohttp, with a key in a token: posts telemetry and prints the answer.

usage: telemetry_aiohttp.py KEY-URI CA-FILE URL
"""
import asyncio
import sys

import aiohttp

import hsmtls

key, ca, url = sys.argv[1:]


async def main():
    device = await hsmtls.Identity.open_async(key)
    connector = aiohttp.TCPConnector(ssl=device.ssl_context(cafile=ca))
    async with aiohttp.ClientSession(connector=connector) as session:
        async with session.post(url, json={"temperature": 21.5}) as response:
            print(response.status, await response.text())


asyncio.run(main())
