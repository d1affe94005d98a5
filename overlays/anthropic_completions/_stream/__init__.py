"""Read the body of an open reply: from bytes to events to completions.

In come bytes; out come server-sent events, the chunks that they carry, the whole that the chunks make up,
and an error where the stream ends before its text does.
"""
