"""Completions for the clients of an `anthropic` package that has none any more.

In comes the imported package; its clients get `completions`, served by a client of this package over their
own connections.
"""
