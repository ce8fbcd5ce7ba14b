"""Writes every few seconds what this process has refused meanwhile. Loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from logging import getLogger

from central.access.refusals import WRITE_EVERY_S, Refusals
from central.api.context import ReadSide
from central.errors import CentralError

logger = getLogger(__name__)


@asynccontextmanager
async def writing_refusals(refusals: Refusals, reading: ReadSide) -> AsyncIterator[None]:
    """Write what is counted while pages are served, and the rest in the end."""
    task = asyncio.create_task(_write_often(refusals, reading))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await _write(refusals, reading)


async def _write_often(refusals: Refusals, reading: ReadSide) -> None:
    while True:
        await asyncio.sleep(WRITE_EVERY_S)
        await _write(refusals, reading)


async def _write(refusals: Refusals, reading: ReadSide) -> None:
    if not refusals.waits:
        return
    now_ms = reading.clock.now_ms()
    try:
        await asyncio.to_thread(partial(refusals.write, reading.database, now_ms=now_ms))
    except CentralError as error:
        # It goes on waiting, and is written once the database is back.
        logger.info("refusals are not written yet", extra={"detail": str(error)})
