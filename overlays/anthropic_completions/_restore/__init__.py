"""Completions for the clients of an `anthropic` package that has none any more.

In comes the imported package; its clients get `completions`, served by a client of this package over their
own connections. `restore` is the way in, `names` says what is put where, `completions` is what
`client.completions` becomes, `errors` has both packages' names catch an error, `after_import` changes a
module that is not loaded yet, and `restoration` takes all of it back.
"""
