"""Label templates: files that a user can edit, and the labels made of them. Pure.

`files` alone touches the disk.
"""
