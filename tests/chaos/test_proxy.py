"""The proxy breaks what it says, and nothing else. Edge of sockets."""

import socket
import threading
import time
from contextlib import contextmanager, suppress

import pytest

from tests.chaos.proxy import BreakableProxy
from tests.waiting import wait_for

SILENCE_S = 0.15


@contextmanager
def echo_server():
    """Yield the port of a server that sends back whatever it gets."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                client = listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=echo, args=(client,), daemon=True).start()

    def echo(client):
        with client, suppress(OSError):
            while data := client.recv(4096):
                client.sendall(data)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@pytest.fixture
def proxy():
    with echo_server() as port, BreakableProxy([port]) as proxy:
        yield proxy


@pytest.fixture
def client(proxy):
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=60) as client:
        assert echoed(client, b"hello")
        yield client


def echoed(client, data):
    client.sendall(data)
    return client.recv(4096) == data


def is_silent(client):
    client.settimeout(SILENCE_S)
    try:
        return client.recv(4096) is None
    except TimeoutError:
        return True
    finally:
        client.settimeout(60)


@pytest.mark.parametrize("way", ["up", "down"])
def test_stalled_bytes_come_late_and_whole(proxy, client, way):
    proxy.stall(way)
    client.sendall(b"late")
    assert is_silent(client)
    proxy.mend()
    assert client.recv(4096) == b"late"


@pytest.mark.parametrize("way", ["up", "down"])
def test_a_connection_that_lost_bytes_stays_deaf_and_a_new_one_passes(proxy, client, way):
    proxy.drop(way)
    client.sendall(b"lost")
    assert is_silent(client)
    proxy.mend()
    client.sendall(b"lost, too")
    assert is_silent(client)
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=60) as other:
        assert echoed(other, b"anew")


def test_a_half_open_connection_is_silent_until_somebody_tells(proxy, client):
    proxy.half_open()
    client.sendall(b"into the void")
    assert is_silent(client)
    proxy.mend(reset_deaf=True)
    with pytest.raises(ConnectionResetError):
        client.recv(4096)


def test_a_cut_resets_and_refuses_until_it_is_mended(proxy, client):
    proxy.cut()
    with pytest.raises(ConnectionResetError):
        client.recv(4096)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", proxy.port), timeout=60)
    proxy.mend()
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=60) as other:
        assert echoed(other, b"anew")


def test_a_slow_way_takes_its_time(proxy, client):
    proxy.slow(2000, "up")
    start_s = time.monotonic()
    client.sendall(b"x" * 1000)
    echo = b""
    while len(echo) < 1000:
        echo += client.recv(4096)
    assert time.monotonic() - start_s >= 0.5  # Never sooner; a busy machine may take longer.
    proxy.mend()


def test_a_client_is_led_to_the_next_target_that_answers():
    with echo_server() as first, echo_server() as second:
        with BreakableProxy([first, second]) as proxy:
            with socket.create_connection(("127.0.0.1", proxy.port), timeout=60) as client:
                assert echoed(client, b"one")
            assert proxy.target_of_newest() == first
        gone = socket.create_server(("127.0.0.1", 0))
        port = gone.getsockname()[1]
        gone.close()
        with BreakableProxy([port, second]) as proxy:
            with socket.create_connection(("127.0.0.1", proxy.port), timeout=60) as client:
                assert echoed(client, b"two")
            assert proxy.target_of_newest() == second


def test_an_end_that_closes_ends_the_other(proxy, client):
    client.close()
    wait_for(lambda: proxy.connections_count == 0, what="the end of the connection")
