"""What every body and every set of parameters of the interface is made from. Pure."""

import warnings

from pydantic import BaseModel, ConfigDict
from pydantic.warnings import UnsupportedFieldAttributeWarning

# FastAPI gives a set of parameters an alias that pydantic has no use for, and silences what it says
# of that while the parameter is made. Ours are built later.
warnings.filterwarnings(
    "ignore", message="The 'alias' attribute", category=UnsupportedFieldAttributeWarning
)


class ApiModel(BaseModel):
    """A model that is built at its first use: most of two hundred are not asked for in a day.

    Building all of them at the start took 6.5 MB and a third of the time of starting.
    """

    model_config = ConfigDict(defer_build=True)
