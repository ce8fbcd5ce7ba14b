"""The workflows of a station, one file each: advance(session, meaning, surroundings). Pure."""
