"""From observations to meaning, to workflow, to effects; knows neither device nor store. Pure."""
