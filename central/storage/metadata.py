"""What every table of the central database is registered in. Edge of SQLAlchemy."""

from sqlalchemy import MetaData

metadata = MetaData()
