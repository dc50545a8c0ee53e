import paho.mqtt.client as mqtt

import hsmtls

device = hsmtls.Identity.open("pkcs11:token=edge;object=device-key")
client = mqtt.Client(client_id="device-0001")
client.tls_set_context(device.ssl_context(cafile="ca.pem"))
client.connect("broker.example", 8883)
client.loop_start()
client.publish("devices/device-0001/telemetry", "21.5", qos=1).wait_for_publish()
