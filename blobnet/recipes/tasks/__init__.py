"""What a recipe can ask for, one file a task.

A task is a module with OPTIONS, every Option by its name; MEASURES, the names of what it measures, N for any number;
`check(trial)`, which raises the errors that a training should not have to end with; `run(trial)`, which does one trial
and returns its measures by name; and where they make sense `footnote(options)`, the sentence under the table, and
`report(finished, out)`, which draws pictures: `finished` are pairs of a trial and its measures.
"""
