"""`convert`: completion requests, as requests for messages (`command`), also in files (`bodies`)."""
