"""What a recipe can ask for, one file a task.

A task is a module with OPTIONS, the kind and default of every option by its name; `run(trial)`, which does one trial
and returns its measures by name; and where they make sense `footnote(options)`, the sentence under the table, and
`report(finished, out)`, which draws pictures: `finished` are pairs of a trial and its measures.
"""
