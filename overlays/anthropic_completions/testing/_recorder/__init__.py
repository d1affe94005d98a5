"""Recordings of exchanges.

In come requests of a client; out go the service's replies, kept in a file without secrets, or those that the
file holds.
"""
