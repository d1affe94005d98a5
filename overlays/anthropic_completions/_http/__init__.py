"""One exchange over HTTP: attempts, retries, redirects, waits, and the connections below them.

In comes a `Call`, ready to send; out goes a successful reply, read or open, or one of this package's errors.
"""
