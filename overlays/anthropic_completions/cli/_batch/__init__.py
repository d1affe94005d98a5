"""`batch`: many prompts from a file, the results into another.

A row of the input becomes a request (`inputs`, `requests`), which is done by calls (`running`) or by Message
Batches (`service`, `journal`), and its result a line of the output (`results`). What is going on is counted
(`tally`) and shown (`progress`, `report`).
"""
