"""The HTTP faces: one file or folder for each dialect, pure parse and render functions over the tasks and their events.

`exchange` says what a dialect is made of, `app` puts them on one port, `guard` stands before them.
"""
