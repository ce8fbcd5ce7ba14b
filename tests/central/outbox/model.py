"""Both ends of one gateway's notices and a network that loses, doubles and reorders. Pure."""

from dataclasses import dataclass, field

from central.outbox.stream import Kept, NoticeStream, RecordAck, Renew

KEPT_ACKED_COUNT = 3


@dataclass
class Database:
    """What central has on disk: the present values, and the notices that say them."""

    name: str = "s0"
    bodies: dict = field(default_factory=dict)
    head: int = 0
    acked: int = 0
    names_count: int = 0
    values: dict = field(default_factory=dict)

    def kept(self):
        return Kept(self.name, min(self.bodies, default=self.head + 1), self.acked, self.head)

    def add(self, body):
        self.head += 1
        self.bodies[self.head] = body

    def change(self, key, value):
        self.values[key] = value
        self.add(("set", key, value))

    def print(self, job):
        self.add(("print", job))

    def record(self, number):
        self.acked = max(self.acked, number)
        for old in [one for one in self.bodies if one <= number - KEPT_ACKED_COUNT]:
            del self.bodies[old]

    def begin(self, *, announced):
        waiting = [
            body
            for number, body in sorted(self.bodies.items())
            if number > self.acked and body[0] == "print"
        ]
        self.names_count += 1
        self.name = f"s{self.names_count}-{len(waiting)}"
        self.bodies, self.head, self.acked = {}, 0, 0
        if announced:
            self.add(("announced",))
        for body in waiting:
            self.add(body)


@dataclass
class Gateway:
    """What the gateway has on disk. jobs: printed, each once however often it is asked for."""

    stream: str = ""
    number: int = 0
    values: dict = field(default_factory=dict)
    jobs: list = field(default_factory=list)


class World:
    """central <-> network <-> gateway. Time passes in steps; nothing else moves it."""

    def __init__(self, random, *, loss=0.0):
        self.random = random
        self.loss = loss
        self.now_s = 0.0
        self.database = Database()
        self.gateway = Gateway()
        self.copy = Gateway()
        self.down, self.up = [], []
        self.loads_s = None  # When the gateway has the snapshot that it asked for.
        self.asked_s = 0.0
        self.lost = False  # Whether something was lost for good, with a disk.
        self.messages_count = self.snapshots_count = 0
        self.asked_jobs = []
        self.restart_central()
        self.acknowledge()

    def restart_central(self):
        self.open_stream()

    def open_stream(self):
        self.stream = NoticeStream(self.database.kept(), jitter=self.random.random)
        self.stream.connected(self.now_s)
        self.stream.reachable(self.now_s, yes=True)

    def written(self):
        if self.stream.name == self.database.name:
            self.stream.loaded(self.database.kept())
        else:
            self.open_stream()

    def change(self, count):
        for _ in range(count):
            self.database.change(self.random.randrange(5), self.random.random())
        self.written()

    def print(self):
        job = len(self.asked_jobs)
        self.asked_jobs.append(job)
        self.database.print(job)
        self.written()

    def renew(self):
        self.database.begin(announced=True)
        self.written()

    def wipe_gateway(self):
        self.gateway = Gateway()
        self.lost = True
        self.loads_s = None
        self.acknowledge()

    def copy_gateway(self):
        self.copy = self.disk()

    def restore_gateway(self):
        self.gateway = self.copy
        self.copy_gateway()
        self.lost = True
        self.loads_s = None
        self.acknowledge()

    def disk(self):
        one = self.gateway
        return Gateway(one.stream, one.number, dict(one.values), list(one.jobs))

    def acknowledge(self):
        self.up.append((self.gateway.stream, self.gateway.number))

    def step(self, seconds):
        self.now_s += seconds
        self.send()
        for message in self.passing("down"):
            self.hear(*message)
        self.load()
        for stream, number in self.passing("up"):
            self.take(stream, number)
        self.send()

    def send(self):
        while (run := self.stream.next_run(self.now_s)) is not None:
            bodies = self.database.bodies
            numbers = range(run.first_number, run.first_number + min(run.count_max, 8))
            sent = [(number, bodies[number]) for number in numbers if number in bodies]
            assert sent and sent[0][0] == run.first_number
            self.down.append((self.database.name, sent))
            self.messages_count += 1
            self.stream.sent(run, sizes=[100] * len(sent), now_s=self.now_s)

    def passing(self, way):
        """What gets through now; the rest stays under way, is lost, or comes twice."""
        under_way, passing = getattr(self, way), []
        setattr(self, way, [])
        for message in under_way:
            chance = self.random.random()
            if chance < self.loss:
                continue
            if self.loss and chance < self.loss + 0.1:
                getattr(self, way).append(message)
            if self.loss and chance < self.loss + 0.05:
                continue
            passing.append(message)
        if self.loss:
            self.random.shuffle(passing)
        return passing

    def hear(self, stream, numbered):
        gateway = self.gateway
        if stream != gateway.stream:
            self.want_snapshot()
        else:
            for number, body in numbered:
                if number == gateway.number + 1:
                    self.apply(body)
                    gateway.number = number
        self.acknowledge()

    def apply(self, body):
        if body[0] == "set":
            self.gateway.values[body[1]] = body[2]
        elif body[0] == "print" and body[1] not in self.gateway.jobs:
            self.gateway.jobs.append(body[1])

    def want_snapshot(self):
        if self.loads_s is None:
            self.loads_s = self.now_s + self.random.random() * 20
            self.acknowledge()

    def load(self):
        if not self.gateway.stream:
            self.want_snapshot()
        if self.loads_s is None or self.now_s < self.loads_s:
            return
        self.loads_s = None
        if self.gateway.stream == self.database.name:
            return  # It was an old message that spoke of another stream.
        self.snapshots_count += 1
        self.database.begin(announced=False)
        self.written()
        self.gateway.stream, self.gateway.number = self.database.name, 0
        self.gateway.values = dict(self.database.values)
        self.acknowledge()

    def take(self, stream, number):
        found = self.stream.received_ack(stream=stream, number=number, now_s=self.now_s)
        if isinstance(found, RecordAck):
            self.database.record(found.number)
            self.written()
        elif isinstance(found, Renew):
            self.renew()
        if self.stream.needs_announcement:
            self.database.add(("announced",))
            self.written()

    def settled(self):
        gateway, database = self.gateway, self.database
        return (gateway.stream, gateway.number) == (database.name, database.head)

    def settle(self, *, seconds_max):
        """Let all faults end, and time pass until both ends agree."""
        self.loss = 0.0
        end_s = self.now_s + seconds_max
        while self.now_s < end_s:
            self.step(0.5)
            if self.settled() and self.database.acked == self.database.head and not self.up:
                return
        assert self.settled(), (self.gateway, self.database, self.stream.__dict__)
