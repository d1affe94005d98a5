"""What the contract says: the only door to the generated package.

In come fields and JSON values; out go requests as the generated code makes them, violations of the contract's
schemas, and `Completion`.
"""
