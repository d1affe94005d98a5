"""The stand-in for the service.

In come requests, in process or on a loopback port; out go replies as the service gives them, or as a test
scripts them.
"""
