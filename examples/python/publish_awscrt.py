#!/usr/bin/python3
"""Publishes over mutual TLS with Debian's python3-awscrt and a private key in a PKCS#11 token.

It knows nothing of hsmtls: --module may be the vendor's module or the one in front of it.
The module, the key and the TLS context are opened once. Each line on stdin makes it connect anew, with a full
handshake and so a new signature, and publish once more. One JSON line on stdout says how each attempt went.
"""
import argparse
import json
import sys
import time

from awscrt import io, mqtt

TIMEOUT_S = 15


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--module", required=True, help="PKCS#11 module file")
    parser.add_argument("--token", required=True, help="token label")
    parser.add_argument("--key", required=True, help="label of the private key")
    parser.add_argument("--pin-file", required=True, help="file that holds the PIN; a newline after it is cut off")
    parser.add_argument("--cert", required=True, help="the device's certificate, PEM")
    parser.add_argument("--ca", required=True, help="the CA that signed the broker's certificate, PEM")
    parser.add_argument("--host", default="localhost")
    parser.add_argument("--port", required=True, type=int)
    parser.add_argument("--client-id", default="python3-awscrt")
    parser.add_argument("--topic", default="devices/demo")
    return parser.parse_args()


def publish_once(client, args, payload):
    """Connects, publishes with QoS 1, waits for the broker's acknowledgement; returns milliseconds to connect."""
    connection = mqtt.Connection(
        client=client, host_name=args.host, port=args.port, client_id=args.client_id, clean_session=True)
    started = time.monotonic()
    connection.connect().result(TIMEOUT_S)
    connect_ms = (time.monotonic() - started) * 1000
    acknowledged, _ = connection.publish(args.topic, payload, mqtt.QoS.AT_LEAST_ONCE)
    acknowledged.result(TIMEOUT_S)
    connection.disconnect().result(TIMEOUT_S)
    return connect_ms


def main():
    args = parse_arguments()
    with open(args.pin_file, encoding="utf-8") as file:
        pin = file.read().removesuffix("\n")
    library = io.Pkcs11Lib(file=args.module, behavior=io.Pkcs11Lib.InitializeFinalizeBehavior.STRICT)
    options = io.TlsContextOptions.create_client_with_mtls_pkcs11(
        pkcs11_lib=library, user_pin=pin, token_label=args.token,
        private_key_label=args.key, cert_file_path=args.cert)
    options.override_default_trust_store_from_path(None, args.ca)
    group = io.EventLoopGroup(1)
    bootstrap = io.ClientBootstrap(group, io.DefaultHostResolver(group))
    client = mqtt.Client(bootstrap, io.ClientTlsContext(options))

    attempt = 0
    while True:
        attempt += 1
        report = {"client": "python3-awscrt", "attempt": attempt}
        try:
            connect_ms = publish_once(client, args, f"attempt {attempt}")
            report.update(event="published", connect_ms=round(connect_ms, 1))
        except Exception as error:  # whatever it is: reported, and the next line tries again
            report.update(event="failed", error=str(error) or type(error).__name__)
        print(json.dumps(report), flush=True)
        if not sys.stdin.readline():
            return


if __name__ == "__main__":
    main()
