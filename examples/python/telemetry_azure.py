#!/usr/bin/python3
"""azure-iot-device's send_message_x509.py and receive_message_x509.py, with a key in a token.

usage: telemetry_azure.py KEY-URI HOSTNAME DEVICE-ID
"""
import asyncio
import sys
import tempfile
import threading

from azure.iot.device import X509, Message
from azure.iot.device.aio import IoTHubDeviceClient

import hsmtls

key, hostname, device_id = sys.argv[1:]


async def main():
    # The SDK reads its certificate and key from files, here and now: the key file only names the key.
    device = await hsmtls.Identity.open_async(key)
    with tempfile.TemporaryDirectory() as folder:
        x509 = X509(*device.write_files(folder))
        device_client = IoTHubDeviceClient.create_from_x509_certificate(
            hostname=hostname, device_id=device_id, x509=x509)

    await device_client.connect()

    received = threading.Event()

    def message_received_handler(message):
        print("the data in the message received was", message.data)
        received.set()

    device_client.on_message_received = message_received_handler

    await device_client.send_message(Message("test wind speed 1"))
    print("done sending message #1")
    await asyncio.to_thread(received.wait)

    await device_client.shutdown()


asyncio.run(main())
