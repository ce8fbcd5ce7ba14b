"""Pages of people: signing in, one's own account, users, keys of programs, what was done. Edge."""
