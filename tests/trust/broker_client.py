"""MQTT clients with certificates, honest and not, for a broker with TLS. Edge of paho-mqtt."""

import ssl
from contextlib import contextmanager
from queue import Empty, Queue

import paho.mqtt.client as paho

from tests.waiting import wait_for


class Client:
    """A connection. published(topic): the broker's word on a message. heard: (topic, payload)."""

    def __init__(self, port, *, ca, certificate=None, client_id="", will=None):
        self.heard, self.results, self.states = Queue(), Queue(), Queue()
        self.client = paho.Client(
            paho.CallbackAPIVersion.VERSION2, client_id=client_id, protocol=paho.MQTTv5
        )
        context = ssl.create_default_context(cafile=str(ca))
        if certificate is not None:
            context.load_cert_chain(*certificate)
        self.client.tls_set_context(context)
        if will is not None:
            self.client.will_set(will, b"will", qos=1)
        self.client.on_connect = lambda *words: self.states.put(str(words[3]))
        self.client.on_disconnect = lambda *words: self.states.put(f"lost: {words[3]}")
        self.client.on_message = lambda _c, _d, one: self.heard.put((one.topic, one.payload))
        self.client.on_publish = lambda *words: self.results.put((words[2], str(words[3])))
        self.client.on_subscribe = lambda *words: self.states.put("subscribed")
        self._port = port

    def connect(self):
        """Return the broker's answer; raises OSError where TLS refuses."""
        self.client.connect("127.0.0.1", self._port)
        self.client.loop_start()
        return self.states.get(timeout=60)

    def subscribe(self, topic):
        self.client.subscribe(topic, qos=1)
        assert self.states.get(timeout=60) == "subscribed"

    def publish(self, topic, payload=b"x"):
        """Return the reason that the broker gives."""
        number = self.client.publish(topic, payload, qos=1).mid
        while True:
            mid, reason = self.results.get(timeout=60)
            if mid == number:
                return reason

    def hears(self):
        """Return what was delivered so far."""
        found = []
        while True:
            try:
                found.append(self.heard.get_nowait())
            except Empty:
                return found

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


@contextmanager
def connected(port, **words):
    """Yield a client that the broker has let in."""
    client = Client(port, **words)
    try:
        assert client.connect() == "Success"
        yield client
    finally:
        client.close()


def is_refused(port, **words):
    """Return whether the broker lets nobody in like this: in the handshake or right after it."""
    client = Client(port, **words)
    client.client.connect_timeout = 3
    try:
        answer = client.connect()
    except OSError:
        return True
    finally:
        client.close()
    return answer != "Success"


def quiet(client, other, topic):
    """Return what `client` heard, once `other` knows that its own last word was delivered."""
    other.publish(topic, b"last")
    wait_for(lambda: any(one[1] == b"last" for one in list(client.heard.queue)), what="last word")
    return [one for one in client.hears() if one[1] != b"last"]
