#!/usr/bin/python3
"""The first example of paho-mqtt, with a key in a token: sends telemetry and prints the command that comes back.

usage: telemetry_paho.py KEY-URI CA-FILE HOST PORT
"""
import sys

import paho.mqtt.client as mqtt

import hsmtls

key, ca, host, port = sys.argv[1:]


def on_connect(client, userdata, flags, rc):
    print("Connected with result code " + str(rc))
    client.subscribe("devices/device-0001/commands", qos=1)


def on_subscribe(client, userdata, mid, granted_qos):
    client.publish("devices/device-0001/telemetry", "21.5", qos=1)


def on_message(client, userdata, msg):
    print(msg.topic + " " + str(msg.payload))
    client.disconnect()


client = mqtt.Client()
client.on_connect = on_connect
client.on_subscribe = on_subscribe
client.on_message = on_message

device = hsmtls.Identity.open(key)
client.tls_set_context(device.ssl_context(cafile=ca))
client.connect(host, int(port), 60)
client.loop_forever()
