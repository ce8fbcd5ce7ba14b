"""The addresses below /api/v1 at which people and programs work. Root.

Each module has one `router`; all of them stand here, so that an application has all or none.
"""

from fastapi import APIRouter

ROUTERS: tuple[APIRouter, ...] = ()
