"""Start programs that nobody edits, with completions restored: what `anthropic-completions run` does.

In comes a command line; its process goes on as the program, in whose interpreters `restore` is called when
they import `anthropic`. `command` finds the program and says what would stand in the way, `environment` has
the variables, `startup` is what runs in each interpreter, `alias` stands in for a package that is missing,
and `permanent` writes and removes the `.pth` file. `site/` holds the `sitecustomize` that Python finds first.
"""
