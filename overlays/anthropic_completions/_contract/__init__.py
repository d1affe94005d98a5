"""The contract: its schemas and facts, checks against them, and the generated code, reached only from here.

In come fields and JSON values; out go requests as the generated code makes them, violations of the contract's
schemas, and `Completion`.
"""
