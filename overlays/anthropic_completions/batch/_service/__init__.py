"""Message Batches: many requests in one call, at half the price, done within a day.

Sans-I/O: what is asked of the service is a generator of steps (`steps`), which two short loops carry out,
blocking or awaiting. What a request and a result are is in `items`, what a user holds in `handle`.
"""
