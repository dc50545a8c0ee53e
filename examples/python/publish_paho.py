#!/usr/bin/python3
"""Publishes over mutual TLS with paho-mqtt as the identity in a token.

Each line on stdin connects anew (full handshake, new signature) and publishes once more: the token may be reset in
between. One JSON line on stdout says how each attempt went.

usage: publish_paho.py KEY-URI CA-FILE PORT CLIENT-ID TOPIC [HOST]

The certificate is in the token, beside the key. HSMTLS_MODULE names the vendor's PKCS#11 module, HSMTLS_PIN_SOURCE says
where the PIN is.
"""
import json
import sys
import time

import paho.mqtt.client as mqtt

import hsmtls

TIMEOUT_S = 15


def publish(context, host, port, client_id, topic):
    """Connects, publishes with QoS 1, waits for the broker's acknowledgement; returns milliseconds to connect."""
    client, started, connected = mqtt.Client(client_id=client_id), time.monotonic(), []
    client.tls_set_context(context)
    client.on_connect = lambda *_: connected.append(time.monotonic())
    client.connect(host, int(port))
    client.loop_start()
    try:
        client.publish(topic, "hello", qos=1).wait_for_publish(TIMEOUT_S)
        return (connected[0] - started) * 1000
    finally:
        client.disconnect()
        client.loop_stop()


def main():
    key, ca, port, client_id, topic, host = (sys.argv[1:] + ["localhost"])[:6]
    device = hsmtls.Identity.open(key)
    context = device.ssl_context(cafile=ca)
    while True:
        report = {"client": "paho-mqtt"}
        try:
            report.update(event="published", connect_ms=round(publish(context, host, port, client_id, topic), 1))
        except Exception as error:  # whatever it is: reported, and the next line tries again
            report.update(event="failed", error=str(device.last_error or error))
        print(json.dumps(report), flush=True)
        if not sys.stdin.readline():
            return


if __name__ == "__main__":
    main()
