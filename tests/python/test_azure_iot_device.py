"""azure-iot-device, unmodified: it reads a certificate and a key file, and the key file names the key in the token.

The broker stands in for an IoT hub: the SDK's topics, and no more of the hub's rules than mutual TLS.
"""

import os
import unittest

from support import EXAMPLES, KINDS, TIMEOUT_S, Broker, TestCase, back_end, file, for_each, need, uri

need("azure.iot.device", "azure-iot-device")


class AzureIotDevice(TestCase):
    # The SDK connects to port 8883 and no other: this one sends paho to the broker's.
    TO_PORT = """
import runpy, sys
import paho.mqtt.client as mqtt
port, connect = int(sys.argv[1]), mqtt.Client.connect
mqtt.Client.connect = lambda self, host, **options: connect(self, host, **{**options, "port": port})
sys.argv[:] = sys.argv[2:]
runpy.run_path(sys.argv[0])
"""

    @for_each(kind=KINDS)
    def test_sends_telemetry_and_receives_a_command(self, kind):
        device = f"device-{kind}"
        with Broker() as broker, back_end(
                broker.port, f"devices/{device}/messages/events/#", f"devices/{device}/messages/devicebound/") as got:
            said = self.run_program(
                "-c", self.TO_PORT, broker.port, EXAMPLES / "telemetry_azure.py", uri(kind), "localhost", device,
                env={**os.environ, "SSL_CERT_FILE": file("ca.pem")})
            self.assertEqual(got.get(timeout=TIMEOUT_S), b"test wind speed 1")
            self.assertIn("received was b'on'", said)
            self.assertTrue(broker.saw(f"u'{device}'"))


if __name__ == "__main__":
    unittest.main()
