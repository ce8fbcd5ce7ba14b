"""llrpkit's LLRP emulator as a process of its own: a reader that we did not write. Root.

usage: python -m tests.drivers.llrp_peer        prints its port; reads commands from its input:
    input PORT 0|1      antenna NUMBER 0|1      (an end of input ends it)

The emulator does not know the immediate start trigger and DELETE_ROSPEC 0; both are added here.
"""

import asyncio
import sys

from llrpkit.emulator.core import LLRPEmulator
from llrpkit.protocol import enums, messages


class Peer(LLRPEmulator):
    """The emulator with what the standard wants of it beyond."""

    async def _handle_message(self, msg):
        if isinstance(msg, messages.DELETE_ROSPEC) and msg.ro_spec_id == 0:
            self._rospecs.clear()
            self._sync_reporting()
            answer = messages.DELETE_ROSPEC_RESPONSE(llrp_status=self._status_ok())
            await self._send(answer, message_id=msg.message_id)
            return
        await super()._handle_message(msg)
        if isinstance(msg, messages.ENABLE_ROSPEC):
            spec, _ = self._rospecs[msg.ro_spec_id]
            start = spec.ro_boundary_spec.ro_spec_start_trigger
            if start.ro_spec_start_trigger_type == enums.ROSpecStartTriggerType.Immediate:
                self._set_rospec_state(msg.ro_spec_id, "Enabled", "Active")
                self._sync_reporting()


async def serve(reads_per_s: float) -> None:
    """Serve until the input ends."""
    async with Peer(reads_per_sec=reads_per_s) as peer:
        sys.stdout.write(f"{peer.port}\n")
        sys.stdout.flush()
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            what, number, state = line.split()
            change = {"input": peer.set_gpi, "antenna": peer.set_antenna_connected}[what]
            await change(int(number), state == "1")


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1]) if len(sys.argv) > 1 else 200.0))
