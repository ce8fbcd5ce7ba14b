"""A connector that puts scans into thingsboard-gateway; runs in that gateway's environment. Edge.

thingsboard-gateway (https://thingsboard.io, Apache-2.0) is a separate peer, never imported by
Dockledger. This file is copied into its folder of extensions, where its manual wants connectors.

It listens on a local port. A line is one scan as JSON; the answer is "1" when the gateway's
`send_to_storage` said SUCCESS, "0" otherwise. That is all that a connector is told.
"""

import json
import socket
from threading import Thread

from thingsboard_gateway.connectors.connector import Connector
from thingsboard_gateway.gateway.entities.converted_data import ConvertedData
from thingsboard_gateway.gateway.entities.telemetry_entry import TelemetryEntry

DEVICE = "dock-1"


class ScanConnector(Thread, Connector):
    def __init__(self, gateway, config, connector_type):
        super().__init__(daemon=True, name="scans")
        self.statistics = {"MessagesReceived": 0, "MessagesSent": 0}
        self._gateway = gateway
        self._config = config
        self._type = connector_type
        self._stopped = False

    def open(self):
        self._stopped = False
        self.start()

    def run(self):
        with socket.create_server(("127.0.0.1", self._config["port"])) as listener:
            while not self._stopped:
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with connection, connection.makefile("rb") as lines:
                    for line in lines:
                        connection.sendall(b"1\n" if self._store(json.loads(line)) else b"0\n")

    def _store(self, scan):
        data = ConvertedData(device_name=DEVICE)
        data.add_to_telemetry(TelemetryEntry(scan["values"], scan["ts"]))
        status = self._gateway.send_to_storage(self.get_name(), self.get_id(), data)
        return status.name == "SUCCESS"

    def close(self):
        self._stopped = True

    def get_id(self):
        return self._config["id"]

    def get_name(self):
        return self._config["name"]

    def get_type(self):
        return self._type

    def get_config(self):
        return self._config

    def is_connected(self):
        return True

    def is_stopped(self):
        return self._stopped

    def on_attributes_update(self, content):
        pass

    def server_side_rpc_handler(self, content):
        pass
