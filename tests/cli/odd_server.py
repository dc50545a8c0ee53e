"""A TLS server on 127.0.0.1 that goes through with what others do only when something is wrong.

usage: odd_server.py BEHAVIOUR CERTIFICATE KEY CA

  cut      it sends its part of the handshake and is gone before the client answers
  hang-up  it asks for a certificate, finishes the handshake, and closes without a word
  silent   it asks for a certificate, finishes the handshake, and says nothing
  deaf     beside it, on 127.0.0.2 and the same port, nobody ever answers

It prints its port. A client is let in without session tickets: one of those would be a word.
"""

import socket
import ssl
import sys

behaviour, certificate, key, authority = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
context.load_verify_locations(authority)
context.verify_mode = ssl.CERT_REQUIRED
context.num_tickets = 0


def cut(client):
    received, to_send = ssl.MemoryBIO(), ssl.MemoryBIO()
    shaking = context.wrap_bio(received, to_send, server_side=True)
    received.write(client.recv(16384))
    try:
        shaking.do_handshake()
    except ssl.SSLWantReadError:
        pass
    client.sendall(to_send.read())


def finish(client):
    with context.wrap_socket(client, server_side=True) as connection:
        if behaviour == "hang-up":
            connection.unwrap()
        else:
            connection.recv(1)


listener = socket.create_server(("127.0.0.1", 0))
port = listener.getsockname()[1]
if behaviour == "deaf":
    nobody = socket.socket()
    nobody.bind(("127.0.0.2", port))
    nobody.listen(0)
    filling = [socket.socket() for _ in range(4)]
    for one in filling:
        one.setblocking(False)
        one.connect_ex(("127.0.0.2", port))
print(port, flush=True)
while True:
    accepted, _ = listener.accept()
    try:
        with accepted:
            (cut if behaviour == "cut" else finish)(accepted)
    except OSError as why:
        print(why, file=sys.stderr, flush=True)
